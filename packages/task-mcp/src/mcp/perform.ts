import { toErrorBody, type ChangeSummary, type Page } from '@cloutagent/contract';
import type { Log } from '@cloutagent/http';
import { logFailure } from '../failure.ts';
import { parseCall } from '../input.ts';
import { keptBeside } from '../kept-json.ts';
import { runTool, type Caller, type Outcome, type ToolDeps } from '../run-tool.ts';
import { requireSize } from '../size.ts';
import { ERROR_META } from './wire.ts';

export interface McpDeps extends ToolDeps {
  readonly log: Log;
  readonly version: string;
  readonly maxResponseBytes: number;
}

/** No item of a page is longer: titles and owners have bounds, and paths those of the file system. */
const MOST_ITEM_BYTES = 16 * 1024;

/** Key of the receipt of a call in its result: MCP keeps `_meta` for additions. */
const RECEIPT_META = 'io.cloutagent/receipt';

/** A page as MCP shows it: without a next page there is no token. */
const structuredPage = keptBeside(({ nextPageToken, ...rest }: Page<ChangeSummary>) => ({
  ...rest,
  ...(nextPageToken === null ? {} : { nextPageToken }),
}));

const toolResult = ({ text, links, page, receipt }: Outcome) => {
  const content = [
    { type: 'text' as const, text },
    ...links.map(({ uri, mimeType, name }) => ({ type: 'resource_link' as const, uri, mimeType, name })),
  ];
  const _meta = { [RECEIPT_META]: receipt };
  return page === undefined ? { content, _meta } : { content, structuredContent: structuredPage(page), _meta };
};

/** An error as a result, for the model to read and mend: code, message and hint in the text, all of it in `_meta`. */
const toolFailure = (error: unknown) => {
  const body = toErrorBody(error);
  return {
    isError: true,
    content: [{ type: 'text' as const, text: `${body.code}: ${body.message}. ${body.hint}` }],
    _meta: { [ERROR_META]: body },
  };
};

/** What a tool call of a known name brings; whatever goes wrong is a result too. */
export const callTool = async (deps: McpDeps, caller: Caller, name: string, args: unknown) => {
  const { log, maxResponseBytes } = deps;
  try {
    const outcome = await runTool(deps, parseCall(name, args), caller);
    const result = toolResult(outcome);
    const items = outcome.page?.items.length ?? 0;
    // Measuring costs as much as sending, so what is far below the limit is not measured.
    if ((items + 1) * MOST_ITEM_BYTES >= maxResponseBytes) requireSize(JSON.stringify(result), maxResponseBytes);
    return result;
  } catch (error) {
    logFailure(log, { tool: name, error });
    return toolFailure(error);
  }
};

/** @throws RESOURCE_NOT_FOUND, INVALID_INPUT, RESPONSE_TOO_LARGE */
export const readContents = async ({ changes, maxResponseBytes }: McpDeps, uri: string) => {
  const { mimeType, text } = await changes.read(uri);
  requireSize(text, maxResponseBytes);
  return { contents: [{ uri, mimeType, text }] };
};
