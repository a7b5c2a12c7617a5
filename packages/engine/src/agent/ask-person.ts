import {
  approvalTopic,
  codeOf,
  emptyForm,
  readForm,
  type ApprovalAnswer,
  type ElicitationRequest,
  type McpElicitation,
  type McpElicitationAnswer,
  type StepRow,
} from '@cloutagent/contract';
import { newId, toIso } from '@cloutagent/kit';
import type { Drive } from '../workflow/drive.ts';
import { hashOf } from '../workflow/hash.ts';
import type { PeoplePort } from '../workflow/people.ts';
import type { Observe } from './observe.ts';

interface Asked {
  readonly approval: string;
  readonly expiresAt: number;
}

/** Titles are one line in lists. */
const MAX_TITLE = 200;

/** The questions that one tool call raises, as durable approvals below its step. */
export const openQuestions = (
  drive: Drive,
  people: PeoplePort,
  call: { readonly key: string; readonly tool: string },
  observe?: Observe,
): ((question: McpElicitation, signal: AbortSignal) => Promise<McpElicitationAnswer>) => {
  const times = new Map<string, number>();
  return async (question, signal) => {
    const request = toRequest(question, call.tool);
    const hash = hashOf({ kind: 'elicitation', request });
    const time = times.get(hash) ?? 0;
    times.set(hash, time + 1);
    // Its place is what it asks: a server that is called again after a crash may ask in another order.
    const step = `${call.key}/ask[${hash.slice(0, 12)}.${time}]`;
    return ask(drive, people, step, request, signal, observe);
  };
};

const toRequest = ({ server, mode, message, schema, url }: McpElicitation, tool: string): ElicitationRequest => ({
  server,
  tool,
  message,
  mode,
  ...(url === undefined ? {} : { url }),
  ...(schema === undefined ? {} : { schema, text: JSON.stringify(emptyForm(schema), undefined, 2) }),
});

/**
 * Asks a person and waits for the answer. An approval is `accept`, a denial `decline`; a question that nobody answers in time,
 * or that the server takes back, is `cancel`. One that was answered before a crash is not asked again.
 */
const ask = async (
  drive: Drive,
  people: PeoplePort,
  step: string,
  request: ElicitationRequest,
  signal: AbortSignal,
  observe: Observe | undefined,
): Promise<McpElicitationAnswer> => {
  const inputHash = hashOf({ kind: 'elicitation', step, request });
  const answered = drive.finished(`${step}/answer`, inputHash);
  // Both are written below.
  if (answered !== undefined) return answered.output as McpElicitationAnswer;
  const begun = drive.finished(step, inputHash)?.output as Asked | undefined;
  const startedAt = drive.clock.now();
  const asked = begun ?? { approval: newId('apr', drive.clock), expiresAt: startedAt + people.patienceMs };
  const decision = openDecision(drive, people, asked, signal);
  try {
    if (begun === undefined) await writeQuestion(drive, { step, inputHash, request, asked, startedAt });
    await observe?.({ type: 'asking', approval: asked.approval, title: titleOf(request) });
    const decided = await decision.inTime;
    // The run stops: the question stands until it goes on, or is closed with it.
    if (decided === undefined && drive.signal.aborted) return { action: 'cancel' };
    const end = { step, inputHash, asked, startedAt };
    if (decided === undefined && (await writeExpired(drive, end))) return { action: 'cancel' };
    const answer = toAnswer(request, decided ?? (await decision.sooner));
    await drive.commit({ steps: [answerRow(drive, end, answer)] });
    return answer;
  } finally {
    decision.close();
  }
};

/** The decision about a question: in its time, or undefined; `sooner` for one that is known to be there. */
const openDecision = (drive: Drive, people: PeoplePort, { approval, expiresAt }: Asked, signal: AbortSignal) => {
  let end = (): void => undefined;
  const sooner = new Promise<ApprovalAnswer>((resolve) => {
    end = people.onDecision(drive.claim.runId, approval, resolve);
  });
  const over = new AbortController();
  const onAbort = (): void => over.abort();
  const sources = [signal, drive.signal];
  for (const source of sources) source.addEventListener('abort', onAbort, { once: true });
  if (sources.some(({ aborted }) => aborted)) onAbort();
  const late = drive.clock.sleep(Math.max(0, expiresAt - drive.clock.now()), over.signal).catch(() => undefined);
  return {
    sooner,
    inTime: Promise.race([sooner, late.then(() => undefined)]),
    close: () => {
      end();
      over.abort();
      for (const source of sources) source.removeEventListener('abort', onAbort);
    },
  };
};

const titleOf = ({ server, message }: ElicitationRequest): string => `${server} asks: ${message}`.slice(0, MAX_TITLE);

const toAnswer = (request: ElicitationRequest, { decision, edited }: ApprovalAnswer): McpElicitationAnswer => {
  if (decision === 'deny') return { action: 'decline' };
  if (request.mode === 'url') return { action: 'accept' };
  const form = readForm(request.schema, edited ?? request.text);
  // Whoever decides is told what does not fit; nothing that does not is sent to the server.
  return 'problem' in form ? { action: 'cancel' } : { action: 'accept', content: form.content };
};

interface Question {
  readonly step: string;
  readonly inputHash: string;
  readonly asked: Asked;
  readonly startedAt: number;
}

/** Question, its row and its event are one unit, so that nobody is asked twice after a crash. */
const writeQuestion = (
  drive: Drive,
  { step, inputHash, asked, startedAt, request }: Question & { readonly request: ElicitationRequest },
): Promise<void> => {
  const title = titleOf(request);
  const { approval, expiresAt } = asked;
  const row: StepRow = {
    key: step,
    kind: 'approval',
    name: title,
    inputHash,
    input: request,
    output: asked,
    isError: false,
    usage: null,
    costNanoUsd: 0,
    startedAt,
    endedAt: startedAt,
  };
  return drive.commit({
    steps: [row],
    approvals: [{ id: approval, step, kind: 'elicitation', title, request, digest: inputHash, expiresAt }],
    events: [{ type: 'approval.requested', approval, step, kind: 'elicitation', title, expiresAt: toIso(expiresAt) }],
  });
};

/** Closes a question that nobody answered; false where somebody did in the last moment, and that counts. */
const writeExpired = async (drive: Drive, question: Question): Promise<boolean> => {
  const { step, asked } = question;
  const { approval } = asked;
  try {
    await drive.commit({
      steps: [answerRow(drive, question, { action: 'cancel' })],
      expired: [approval],
      events: [{ type: 'approval.decided', approval, step, status: 'expired', by: null, reason: null }],
    });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'SIGNALLED') throw error;
    return false;
  }
};

const answerRow = (
  drive: Drive,
  { step, inputHash, asked, startedAt }: Question,
  answer: McpElicitationAnswer,
): StepRow => ({
  key: `${step}/answer`,
  kind: 'wait',
  name: approvalTopic(asked.approval),
  inputHash,
  input: { approval: asked.approval },
  output: answer,
  isError: false,
  usage: null,
  costNanoUsd: 0,
  startedAt,
  endedAt: drive.clock.now(),
});
