import { ChangePage, type SDKExecutionResult } from '@cloutagent/contract';
import type { TaskCall } from './task-tools.ts';

/** Answers of `processUserRequest` that are about changes (seed 000 "Direct API Integration"). */
export interface ChangeAnswer {
  readonly type: 'change_created' | 'change_archived' | 'active_changes';
  /** What the tool answered: its blocks as `content`. Of a list, `content` is the changes of the page, beside its figures. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An answer without any change in it, in the form of the Messages API. */
export interface PlainAnswer {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly { readonly type: 'text'; readonly text: string }[];
  readonly stop_reason: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** The action behind a tool, by either of its names, and how one says that it is under way. */
export const ACTIONS: Readonly<Record<string, { readonly name: string; readonly progress: string }>> = {
  change_open: { name: 'create', progress: 'Creating change...' },
  change_archive: { name: 'archive', progress: 'Archiving change...' },
  changes_active: { name: 'list', progress: 'Fetching changes...' },
};

export const actionOf = (tool: string): (typeof ACTIONS)[string] | undefined => {
  const name = tool.replaceAll('.', '_');
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
};

/**
 * What an execution amounts to. The last action that succeeded counts, one that changed something before one that only
 * looked; undefined where the tools did nothing. Throws the words of the tool where all of them failed.
 */
export const toChangeAnswer = (calls: readonly TaskCall[]): ChangeAnswer | undefined => {
  const acted = calls.filter(({ tool }) => actionOf(tool) !== undefined);
  const done = acted.filter(({ result }) => !result.isError);
  const last = done.findLast(({ tool }) => actionOf(tool)?.name !== 'list') ?? done.at(-1);
  if (last !== undefined) return answerOf(last);
  const failed = acted.at(-1);
  if (failed !== undefined) throw new Error(textOf(failed));
  return undefined;
};

const answerOf = (call: TaskCall): ChangeAnswer => {
  const { input, result } = call;
  switch (actionOf(call.tool)?.name) {
    case 'create':
      return {
        type: 'change_created',
        data: { content: result.content },
        message: `Successfully created change: ${String(input['title'])}`,
      };
    case 'archive':
      return {
        type: 'change_archived',
        data: { content: result.content },
        message: `Successfully archived change: ${String(input['slug'])}`,
      };
    default: {
      const page = pageOf(call);
      return {
        type: 'active_changes',
        data: { ...result.structuredContent, content: page.items },
        // A page may hold fewer than there are.
        message: `Found ${page.total} active changes`,
      };
    }
  }
};

/** The last page has no token. */
const List = ChangePage.omit({ nextPageToken: true });

const pageOf = (call: TaskCall) => {
  const page = List.safeParse(call.result.structuredContent);
  if (page.success) return page.data;
  throw new Error(`Task MCP did not answer with a list of changes: ${textOf(call).slice(0, 200)}`);
};

const textOf = ({ result }: TaskCall): string =>
  result.content.map((block) => (typeof block['text'] === 'string' ? block['text'] : '')).join('\n');

export const toPlainAnswer = (result: SDKExecutionResult, model: string): PlainAnswer => ({
  id: result.id,
  type: 'message',
  role: 'assistant',
  model,
  content: [{ type: 'text', text: result.result ?? '' }],
  stop_reason: result.stopReason ?? null,
  usage: { input_tokens: result.cost.promptTokens, output_tokens: result.cost.completionTokens },
});
