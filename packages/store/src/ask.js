import { CloutError } from '@cloutagent/contract';
/** Commits the statements as one unit; durable on return. Throws what the refused statement names. */
export const write = (writer, statements) => ask(writer, 'write', statements);
/** Reads on one snapshot, after all that was confirmed before. */
export const read = (writer, statements) => ask(writer, 'read', statements);
const ask = async (writer, mode, statements) => {
  // Functions cannot cross to the thread.
  const outcome = await writer.submit({ mode, statements: statements.map(({ refuse: _, ...statement }) => statement) });
  if (outcome.kind === 'done') return outcome.answers;
  throw (
    statements[outcome.index]?.refuse?.(outcome.explained) ?? defect(`statement ${outcome.index} of a unit was refused`)
  );
};
/** What only wrong code of ours can cause. */
export const defect = (message, details) =>
  new CloutError('INTERNAL_ERROR', message, details === undefined ? {} : { details });
//# sourceMappingURL=ask.js.map
