import type { FoundRun, RunLogs, Runs } from '../contract.ts'

/** A search that takes longer ends incomplete. */
const patienceMs = 5000
const pageSize = 100
const longestLine = 200

/**
 * Finds the runs of a job whose log or error holds the words, in upper or lower case, newest first. `complete` is false
 * when time ran out before every run was searched. Other requests are answered in between.
 */
export async function searchRuns(
  { list, logOf }: Pick<Runs, 'list'> & { logOf: RunLogs['text'] },
  { jobId, words, limit, offset }: Parameters<RunLogs['search']>[0],
): Promise<{ found: FoundRun[]; total: number; complete: boolean }> {
  const wanted = words.toLowerCase()
  const until = performance.now() + patienceMs
  const found: FoundRun[] = []
  let total = 0
  for (let from = 0; ; from += pageSize) {
    const { runs } = list({ jobId, limit: pageSize, offset: from })
    for (const run of runs) {
      const match =
        matchIn('log', logOf(run.id), wanted) ?? matchIn('error', run.error?.message ?? '', wanted)
      if (match) {
        if (total >= offset && found.length < limit) found.push({ run, match })
        total++
      }
      if (performance.now() > until) return { found, total, complete: false }
      await new Promise(resolve => setImmediate(resolve))
    }
    if (runs.length < pageSize) return { found, total, complete: true }
  }
}

function matchIn(where: FoundRun['match']['in'], text: string, wanted: string): FoundRun['match'] | null {
  const at = text.toLowerCase().indexOf(wanted)
  if (at < 0) return null
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end < 0 ? undefined : end).trimEnd()
  const cut = Math.max(0, Math.min(at - start - longestLine / 4, line.length - longestLine))
  const shown = line.slice(cut, cut + longestLine)
  return {
    in: where,
    line: text.slice(0, start).split('\n').length,
    text: `${cut > 0 ? '…' : ''}${shown}${cut + longestLine < line.length ? '…' : ''}`,
  }
}
