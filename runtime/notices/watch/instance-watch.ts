import type { Finding, InstanceIncidentKind } from '../finding.ts'
import type { Watched } from './watched.ts'

/** More errors and files than this are only counted. */
const mostListed = 5
/** People save several times a minute while they edit: a broken save corrected within a minute is not reported. */
const editPatienceMs = 60_000
/** A single failure may be a short network outage: with backoff, this number is reached after a minute and a half. */
const failuresBeforeReport = 3

/** Checks the instance as a whole: the manifest, the packages, the remote and the scheduler. */
export async function watchInstance(engine: Watched): Promise<Finding[]> {
  return [...codeFindings(engine), ...remoteFindings(engine), ...(await schedulerFindings(engine))]
}

function codeFindings(engine: Watched): Finding[] {
  const { status, errors, waitingFor } = engine.manifest()
  const packages = engine.packages()
  if (waitingFor === 'packages' || packages.status === 'installing')
    return [about('manifest', '', { undecided: true }), about('packages', '', { undecided: true })]
  if (packages.status === 'failed') {
    const command = packages.command ? ` Command: ${packages.command}` : ''
    return [
      about('packages', `${packages.error ?? 'npm failed.'} The jobs that were live keep running.${command}`),
      about('manifest', '', { undecided: true }),
    ]
  }
  if (status !== 'error') return []
  const lines = errors.map(
    ({ file, line, column, message }) =>
      `${[file, file && line, file && line && column].filter(part => part != null).join(':')}${file ? ': ' : ''}${message}`,
  )
  if (waitingFor === 'confirmation') {
    return [about('held', `${listed(lines)}\nConfirm it on the page of the jobs, or change the files.`)]
  }
  const detail = `${listed(lines)}\nThe jobs that were live keep running.`
  return [about('manifest', detail, { patienceMs: editPatienceMs })]
}

function remoteFindings(engine: Watched): Finding[] {
  const remote = engine.sync.remote()
  if (!remote) return []
  const { error, failures, conflict, held } = remote
  const found: Finding[] = []
  if (error !== null) {
    const enough = failures >= failuresBeforeReport
    found.push(
      about(
        'sync',
        `${remote.url}: ${error}. Sync is retried; the current jobs keep running.`,
        enough ? {} : { undecided: true },
      ),
    )
  }
  if (conflict) {
    const files = conflict.files.map(({ path }) => path)
    const what =
      conflict.kind === 'rewritten'
        ? 'The history of the remote was rewritten.'
        : `Both sides changed the same lines: ${counted(files, 'files')}.`
    found.push(about('conflict', `${what} Nothing is taken over until you choose a side.`))
  }
  if (held) {
    const { removes, of } = held
    const jobs = `${removes.length} of ${of} jobs`
    found.push(
      about(
        'held',
        `A change of the remote would remove ${jobs} (${counted(removes, 'jobs')}). It waits until you confirm it.`,
      ),
    )
  }
  return found
}

async function schedulerFindings(engine: Watched): Promise<Finding[]> {
  try {
    await engine.checks.get('scheduler')?.()
    return []
  } catch (error) {
    return [about('scheduler', `${(error as Error).message}. Jobs may not start when they are due.`)]
  }
}

function about(kind: InstanceIncidentKind, detail: string, more: Partial<Finding> = {}): Finding {
  return { jobId: '', kind, detail, ...more }
}

function listed(lines: readonly string[]): string {
  const rest = lines.length - mostListed
  return [...lines.slice(0, mostListed), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n')
}

function counted(names: readonly string[], what: string): string {
  const rest = names.length - mostListed
  return `${names.slice(0, mostListed).join(', ')}${rest > 0 ? ` and ${rest} more ${what}` : ''}`
}
