import type { Log } from '@cloutagent/http';
import { pino, stdSerializers } from 'pino';

const REDACTED = ['token', '*.token', 'authorization', '*.authorization', 'apiKey', '*.apiKey'];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/** Structured log on stderr, one JSON object a line; stdout belongs to the command's own output. */
export const createLog = (level: string | undefined): Log => {
  const logger = pino(
    {
      level: level !== undefined && LEVELS.includes(level) ? level : 'info',
      serializers: { error: stdSerializers.err },
      redact: { paths: REDACTED, censor: '[hidden]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return (severity, message, fields) => logger[severity]({ ...fields }, message);
};

export type { Log };
