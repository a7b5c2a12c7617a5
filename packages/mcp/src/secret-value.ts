import type { McpServerConfig } from '@cloutagent/contract';

const REFERENCE = /^(?:env|file|secret):/u;

/** Whether a value says where it is kept, and not what it is. */
export const isReference = (text: string): boolean => REFERENCE.test(text);

const SECRET_NAME = /token|secret|passw|key|auth|cred|cookie/iu;
const PASSWORD_IN_ADDRESS = /:\/\/[^/\s:@]*:[^/\s@]+@/u;
/** Long, with letters and digits, and no path. */
const LIKE_A_TOKEN = /^(?![./~])(?=.*[A-Za-z])(?=.*\d)[\w+/=.-]{24,}$/u;
const OPEN_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/** Whether a value that stands in an entry itself is a secret, by its name and by itself. `text:` before it says that it is none. */
export const looksSecret = (name: string, text: string, isHeader: boolean): boolean =>
  !isReference(text) &&
  !text.startsWith('text:') &&
  (isHeader
    ? !OPEN_HEADERS.has(name.toLowerCase())
    : SECRET_NAME.test(name) || PASSWORD_IN_ADDRESS.test(text) || LIKE_A_TOKEN.test(text));

/** An entry whose secrets were put where `put` puts them. What its users fill in is not known yet and stays. */
export const sealConfig = async (
  config: McpServerConfig,
  put: (value: string) => Promise<string>,
): Promise<McpServerConfig> => {
  const seal = async (values: Readonly<Record<string, string>>, isHeader: boolean): Promise<Record<string, string>> => {
    const sealed: Record<string, string> = {};
    for (const [name, text] of Object.entries(values)) {
      const secret = text !== '' && !text.includes('{{') && looksSecret(name, text, isHeader);
      sealed[name] = secret ? await put(text) : text;
    }
    return sealed;
  };
  return config.transport === 'stdio'
    ? { ...config, env: await seal(config.env, false) }
    : { ...config, headers: await seal(config.headers, true) };
};

/** Ids of the sealed values that an entry refers to. */
export const secretIds = (config: McpServerConfig): readonly string[] =>
  Object.values(config.transport === 'stdio' ? config.env : config.headers).flatMap((text) =>
    text.startsWith('secret:') ? [text.slice('secret:'.length)] : [],
  );
