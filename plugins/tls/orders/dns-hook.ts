import { execFile } from 'node:child_process'

const hookMs = 120_000

/**
 * Runs the operator's program that sets records in the DNS: `<hook> add|remove <record> <value>`. It gets none of our settings.
 * Throws in words when it fails, or takes longer than two minutes.
 */
export async function runDnsHook(
  hook: string,
  [action, record, value]: readonly ['add' | 'remove', record: string, value: string],
  signal: AbortSignal,
): Promise<void> {
  const { PATH, HOME, LANG } = process.env
  await new Promise<void>((resolve, reject) => {
    execFile(
      hook,
      [action, record, value],
      {
        timeout: hookMs,
        killSignal: 'SIGKILL',
        env: { PATH, HOME, LANG },
        signal,
        maxBuffer: 64 * 1024,
      },
      (error, _, complaint) => {
        if (!error) resolve()
        else reject(new Error(`ACME_DNS_HOOK could not ${action} ${record}: ${reasonOf(error, complaint)}`))
      },
    )
  })
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, complaint: string): string {
  const last = complaint.trim().split('\n').at(-1)
  if (last) return last.slice(0, 300)
  if (error.killed) return `it took longer than ${hookMs / 1000} s`
  return typeof error.code === 'number' ? `exit code ${error.code}` : String(error.code ?? error.message)
}
