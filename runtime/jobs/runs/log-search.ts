import { wordsPattern } from '../../../views/components/log/found-text.tsx'
import { visibleText } from '../../../views/components/log/terminal.ts'
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
  const wanted = wordsPattern(words)
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

/**
 * Looks line by line at what a terminal shows, because a colour may begin within the words. What was overwritten, as by a
 * progress bar, is found as well.
 */
function matchIn(where: FoundRun['match']['in'], text: string, wanted: RegExp): FoundRun['match'] | null {
  const isPlain = visibleText(text) === text
  if (isPlain && !wanted.test(text)) return null
  for (const [index, line] of text.split('\n').entries()) {
    for (const shown of isPlain ? [line] : statesOf(line)) {
      const at = wanted.exec(shown)?.index
      if (at !== undefined) return { in: where, line: index + 1, text: around(shown.trimEnd(), at) }
    }
  }
  return null
}

/** What a line showed at its end, and before that. */
function statesOf(line: string): string[] {
  const states = line.split('\r')
  return states.length === 1 ? [visibleText(line)] : [line, ...states.reverse()].map(visibleText)
}

/** The part of a long line in which something was found at a place. */
function around(line: string, at: number): string {
  const cut = Math.max(0, Math.min(at - longestLine / 4, line.length - longestLine))
  const shown = line.slice(cut, cut + longestLine).toWellFormed()
  return `${cut > 0 ? '…' : ''}${shown}${cut + longestLine < line.length ? '…' : ''}`
}
