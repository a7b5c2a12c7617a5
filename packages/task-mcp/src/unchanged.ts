import { listingVersion, type Project } from '@cloutagent/openspec';

/**
 * The version as of now. Whoever asks before the event loop goes round gets the same look: every edit that was made
 * until then is known when it is taken.
 */
const sharedVersions = (project: Project) => {
  const looks: { plain?: Look | undefined; withArchived?: Look | undefined } = {};
  return (withArchived: boolean): Look => {
    const kind = withArchived ? 'withArchived' : 'plain';
    const known = looks[kind];
    if (known !== undefined) return known;
    const look = listingVersion(project, withArchived);
    looks[kind] = look;
    setImmediate(() => {
      looks[kind] = undefined;
    });
    return look;
  };
};

type Look = Promise<object | undefined>;

/**
 * Keeps answers while no change changes, so that the same question gets the very same answer, and what was made of it
 * can be kept beside it. Where nobody can tell whether something changed, each answer is made anew.
 * @param most answers that are kept
 */
export const openUnchanged = <T>(project: Project, most: number) => {
  const versionNow = sharedVersions(project);
  let version: object | undefined;
  const answers = new Map<string, T>();
  return async (withArchived: boolean, question: string, make: () => Promise<T>): Promise<T> => {
    const before = await versionNow(withArchived);
    if (before === undefined) return make();
    const known = version === before ? answers.get(question) : undefined;
    if (known !== undefined) return known;
    const answer = await make();
    // An edit meanwhile may be in it or not.
    if ((await versionNow(withArchived)) !== before) return answer;
    if (version !== before || answers.size >= most) answers.clear();
    version = before;
    answers.set(question, answer);
    return answer;
  };
};
