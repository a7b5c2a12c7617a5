import { read, write } from './ask.js';
import { int } from './rows.js';
/** Prefixes that are remembered: a run needs its latest few, the oldest go. */
const MAX_PREFIXES = 10_000;
/** Tokens that the API counted for a prompt prefix; undefined where it was not seen (lately). */
export const getPrefixTokens = async (writer, model, prefixHash) => {
  const answers = await read(writer, [
    { sql: 'SELECT tokens FROM prefix_tokens WHERE model = ? AND prefix_hash = ?', params: [model, prefixHash] },
  ]);
  const row = answers[0]?.rows[0];
  return row === undefined ? undefined : int(row, 'tokens');
};
/** Keeps the larger figure where two were counted, since a bound is made of it. */
export const putPrefixTokens = async (writer, model, prefixHash, tokens) => {
  await write(writer, [
    {
      sql: `INSERT INTO prefix_tokens (model, prefix_hash, tokens, place)
            VALUES (?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM prefix_tokens))
            ON CONFLICT (model, prefix_hash) DO UPDATE SET tokens = max(tokens, excluded.tokens), place = excluded.place`,
      params: [model, prefixHash, tokens],
    },
    {
      sql: 'DELETE FROM prefix_tokens WHERE place <= (SELECT max(place) FROM prefix_tokens) - ?',
      params: [MAX_PREFIXES],
    },
  ]);
};
//# sourceMappingURL=prefix-tokens.js.map
