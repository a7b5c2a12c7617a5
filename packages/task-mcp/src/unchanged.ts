import { listingVersion, type Project } from '@cloutagent/openspec';

/**
 * Keeps answers while no change changes, so that the same question gets the very same answer, and what was made of it
 * can be kept beside it. Where nobody can tell whether something changed, each answer is made anew.
 * @param most answers that are kept
 */
export const openUnchanged = <T>(project: Project, most: number) => {
  let version: object | undefined;
  const answers = new Map<string, T>();
  return async (withArchived: boolean, question: string, make: () => Promise<T>): Promise<T> => {
    const before = await listingVersion(project, withArchived);
    if (before === undefined) return make();
    const known = version === before ? answers.get(question) : undefined;
    if (known !== undefined) return known;
    const answer = await make();
    // An edit meanwhile may be in it or not.
    if ((await listingVersion(project, withArchived)) !== before) return answer;
    if (version !== before || answers.size >= most) answers.clear();
    version = before;
    answers.set(question, answer);
    return answer;
  };
};
