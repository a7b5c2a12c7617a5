import { AgentConfig, ClaudeSDKError, CloutError, type AgentConfigInput } from '@cloutagent/contract';
import type { ModelOptions } from '../model/port.ts';

/** Throws `ClaudeSDKError` naming the field that is wrong. */
export const parseConfig = (input: AgentConfigInput): AgentConfig => {
  const parsed = AgentConfig.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new ClaudeSDKError(`Invalid agent: ${field}: ${issue?.message ?? 'not valid'}`, 'INVALID_INPUT', {
    field,
    issue: issue?.message,
  });
};

const toSdkError = (error: unknown): unknown =>
  error instanceof CloutError ? new ClaudeSDKError(error.message, error.code, error.details) : error;

/** Bad configuration is an error of the SDK's kind, with our code. */
export const asSdkErrors = async <T>(work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw toSdkError(error);
  }
};

/** What an agent asks of every call. */
export const toOptions = (config: AgentConfig): ModelOptions => ({
  temperature: config.temperature,
  effort: config.effort,
  thinking: config.thinking,
  outputSchema: config.outputSchema,
  stopSequences: config.stopSequences,
  fields: config.requestFields,
  betas: config.betas,
});
