import type { FileChange } from './contract.ts'
import { diffLines } from './line-diff.ts'

const mostFiles = 200
const mostLines = 5000
const largestFileBytes = 512 * 1024

/** A file before and after a change, and how to read both; null where it is not there. */
export interface ChangedFile {
  path: string
  before: (() => Promise<Uint8Array>) | null
  after: (() => Promise<Uint8Array>) | null
}

/** The lines that changed, file by file, as far as they can be shown. */
export async function diffFiles<F extends ChangedFile>(
  changed: readonly F[],
): Promise<{ files: (FileChange & { of: F })[]; more: boolean }> {
  let lines = 0
  const files: (FileChange & { of: F })[] = []
  for (const of of changed.slice(0, mostFiles)) {
    const { path, before, after } = of
    const kind = before === null ? 'added' : after === null ? 'removed' : 'changed'
    const sides = await Promise.all([textOf(before), textOf(after)])
    const note =
      sides.find(side => 'note' in side)?.note ?? (lines > mostLines ? 'too much to show here' : null)
    const [old, fresh] = sides.map(side => side.text ?? '')
    const hunks = note === null ? diffLines(old ?? '', fresh ?? '') : []
    const count = hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
    lines += count
    const cut = lines > mostLines && count > 0
    files.push({ of, path, kind, hunks: cut ? [] : hunks, note: cut ? 'too much to show here' : note })
  }
  return { files, more: changed.length > mostFiles }
}

async function textOf(read: ChangedFile['before']): Promise<{ text?: string; note?: string }> {
  if (read === null) return { text: '' }
  const content = await read()
  if (content.byteLength > largestFileBytes) return { note: 'too large to show here' }
  if (content.includes(0)) return { note: 'no text' }
  return { text: new TextDecoder().decode(content) }
}
