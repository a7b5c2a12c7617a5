import { debugNames, type Log } from '@cloutagent/http';
import { pino, stdSerializers } from 'pino';

const REDACTED = ['token', '*.token', 'authorization', '*.authorization', 'apiKey', '*.apiKey'];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/**
 * Structured log on stderr, one JSON object a line; stdout belongs to the command's own output.
 * @param debug names of debug lines (`ns`) that are shown whatever the level, as `DEBUG` has them
 */
export const createLog = (level: string | undefined, debug?: string): Log => {
  const isWanted = debugNames(debug);
  const minimum = level !== undefined && LEVELS.includes(level) ? level : 'info';
  const logger = pino(
    {
      level: minimum,
      serializers: { error: stdSerializers.err },
      redact: { paths: REDACTED, censor: '[hidden]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  const verbose = debug === undefined ? logger : logger.child({}, { level: 'trace' });
  // `DEBUG=task-mcp:error,task-mcp:warn` of the seed names levels.
  const named = new Set(LEVELS.filter((name) => isWanted(`task-mcp:${name}`)));
  return (severity, message, fields) => {
    const wanted = named.has(severity) || (typeof fields?.['ns'] === 'string' && isWanted(fields['ns']));
    (wanted ? verbose : logger)[severity]({ ...fields }, message);
  };
};

export type { Log };
