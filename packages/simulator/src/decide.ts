import { BEHAVIOURS } from './assist.ts';
import { connect, type Connector } from './connector/connect.ts';
import type { ChooseRule } from './match.ts';
import { invalid } from './refusal.ts';
import type { Block, MessagesRequest } from './request.ts';
import { sampleOf } from './sample.ts';
import type { Answer, ErrorReply, Fault, Speech } from './scenario.ts';
import { fill, fillDeep, type Bindings } from './template.ts';

export interface Refused {
  readonly error: ErrorReply;
}

/** What the scenario means to answer. */
export interface Decision {
  readonly meant: Speech | Fault | Refused;
  readonly bindings: Bindings;
  /** Place of the rule, from 0. */
  readonly rule: number;
  /** What was said and done in this turn before: calls on the servers of a connector. */
  readonly before: readonly Block[];
}

export const isRefused = (meant: Speech | Fault | Refused): meant is Refused => 'error' in meant && !('fault' in meant);

export const NOTHING: Bindings = new Map();
/** The real connector pauses a turn that goes on and on; so does this one. */
const MOST_ROUNDS = 8;
/** The beta in which answers carry the tools that a server listed. */
const LISTING_BETA = 'mcp-client-2026-09-15';

interface DecideDeps {
  readonly choose: ChooseRule;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly betas: ReadonlySet<string>;
}

/** The scenario's answer to a request, with its calls on MCP servers really made. 400 where no rule fits. */
export const decide = async (request: MessagesRequest, deps: DecideDeps): Promise<Decision> => {
  if (request.mcpServers.length === 0) return { ...choose(request, deps.choose), before: [] };
  const connector = await connect(request, deps);
  try {
    const listings = deps.betas.has(LISTING_BETA) ? connector.listings : [];
    return await converse({ ...request, tools: [...request.tools, ...connector.tools] }, connector, listings, deps);
  } finally {
    await connector.close();
  }
};

type Chosen = Omit<Decision, 'before'>;

const choose = (request: MessagesRequest, pick: ChooseRule): Chosen => {
  const choice = pick(request);
  if (choice === undefined) throw invalid('The scenario of this simulator has no rule for the request');
  const { answer, rule } = choice;
  const meant = structured(speechOf(answer, request), request);
  return { meant, rule, bindings: 'use' in answer ? NOTHING : choice.bindings };
};

const speechOf = (chosen: Answer, request: MessagesRequest): Speech | Fault | Refused =>
  'use' in chosen ? BEHAVIOURS[chosen.use](request) : chosen;

/** Where a schema is asked for, words that are no JSON give way to the simplest value that fits. */
const structured = (said: Decision['meant'], { outputSchema }: MessagesRequest): Decision['meant'] =>
  outputSchema === undefined || isRefused(said) || (said.toolCalls ?? []).length > 0 || isJson(said.text ?? '')
    ? said
    : { ...said, text: JSON.stringify(sampleOf(outputSchema)) };

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** One turn: the scenario is asked again after each round of calls, as a model would be. */
const converse = async (
  request: MessagesRequest,
  connector: Connector,
  listings: readonly Block[],
  deps: DecideDeps,
): Promise<Decision> => {
  let before = listings;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const done = before.slice(listings.length);
    const messages: MessagesRequest['messages'] =
      done.length === 0 ? request.messages : [...request.messages, { role: 'assistant', content: done }];
    const chosen = choose({ ...request, messages }, deps.choose);
    const { meant, bindings } = chosen;
    if (isRefused(meant)) return { ...chosen, before };
    const calls = (meant.toolCalls ?? []).map(({ name, input }) => ({
      name: fill(name, bindings),
      // A record filled is a record.
      input: fillDeep(input, bindings) as Readonly<Record<string, unknown>>,
    }));
    const remote = calls.filter(connector.owns);
    if (remote.length === 0) return { ...chosen, before };
    const { text, ...rest } = meant;
    if (text !== undefined) before = [...before, { type: 'text', text: fill(text, bindings), citations: null }];
    for (const call of remote) before = [...before, ...(await connector.call(call))];
    const own = (meant.toolCalls ?? []).filter((_, index) => !remote.some((call) => call === calls[index]));
    if (own.length > 0) return { ...chosen, meant: { ...rest, toolCalls: own }, before };
  }
  return { meant: { stopReason: 'pause_turn' }, bindings: NOTHING, rule: 0, before };
};
