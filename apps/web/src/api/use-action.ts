import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useAuthGate } from '../shell/auth-gate.tsx';
import { needsLogin, toProblem } from './error.ts';

interface Action<I, O> {
  readonly run: (input: I) => void;
  readonly busy: boolean;
  readonly error: unknown;
  readonly result: O | undefined;
}

/** Something that a person asks the server to do. Everything shown is read again afterwards; a refusal asks for a token. */
export const useAction = <I, O>(
  perform: (input: I) => Promise<O>,
  onDone?: (result: O) => void,
  options: { readonly asksForToken?: boolean } = {},
): Action<I, O> => {
  const queries = useQueryClient();
  const { ask } = useAuthGate();
  const mutation = useMutation({
    mutationFn: perform,
    onSuccess: (result) => {
      void queries.invalidateQueries();
      onDone?.(result);
    },
    onError: (error, input) => {
      if (options.asksForToken !== false && needsLogin(error))
        ask({ reason: toProblem(error).message, retry: () => mutation.mutate(input) });
    },
  });
  return {
    run: (input) => mutation.mutate(input),
    busy: mutation.isPending,
    error: mutation.error,
    result: mutation.data,
  };
};
