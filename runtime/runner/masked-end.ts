import { maskJson, maskSecrets, maskStream } from '../../src/masking/mask.ts'
import type { RunEnd } from './run-process.ts'
import { failureLimits } from './run-protocol.ts'

/** Masks the secrets of a run in how it ended. */
export function maskEnd(end: RunEnd, secrets: readonly string[]): RunEnd {
  if (end.status === 'succeeded') return { ...end, result: maskJson(end.result, secrets) }
  const { message, stack } = end.error
  return {
    ...end,
    error: {
      message: maskCut(message, failureLimits.message, secrets),
      stack: stack && maskCut(stack, failureLimits.stack, secrets),
    },
  }
}

/** Masks a text that may have been cut: its end may be the beginning of a secret. */
function maskCut(text: string, limit: number, secrets: readonly string[]): string {
  return text.length < limit ? maskSecrets(text, secrets) : maskStream(secrets).push(text)
}
