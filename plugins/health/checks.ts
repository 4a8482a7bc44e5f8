import type { Concern } from '../../src/kernel/concern.ts'
import { type Check, ListedFault } from '../../src/kernel/plugin.ts'
import type { CheckResult } from './contract.ts'

/** Runs every check at the same time. One that does not answer within `withinMs` fails. */
export async function runChecks(
  checks: ReadonlyMap<string, Check>,
  withinMs = 2000,
): Promise<ReadonlyMap<string, CheckResult>> {
  return new Map(
    await Promise.all(
      [...checks].map(async ([name, check]) => [name, await runCheck(check, withinMs)] as const),
    ),
  )
}

async function runCheck(check: Check, withinMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs)
  })
  try {
    await Promise.race([check(), late])
    return { status: 'ok' }
  } catch (error) {
    return {
      status: 'failing',
      reason: error instanceof Error ? error.message : String(error),
      isListed: error instanceof ListedFault,
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Each check that fails, as a concern of the operator; unless its plugin lists what it fails for itself. */
export function checkConcerns(results: ReadonlyMap<string, CheckResult>): Concern[] {
  return [...results].flatMap(([check, { status, reason = '', isListed }]) =>
    status === 'ok' || isListed
      ? []
      : [
          {
            kind: 'check-failing',
            subject: check,
            subdomain: null,
            summary: `The check “${check}” fails`,
            detail: reason,
            urgency: 'alert' as const,
            path: '/health',
          },
        ],
  )
}
