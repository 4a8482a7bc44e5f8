import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { memoryFolder } from '../../src/testing/folder.ts'
import { bytesOf, pathOf, placeOf } from '../git/objects/path-bytes.ts'

/** What a path of a random tree is: a mode of git, and content; of a submodule, the commit that it is at. */
export interface ModelEntry {
  mode: '100644' | '100755' | '120000' | '160000'
  content: string
}
export type Model = ReadonlyMap<string, ModelEntry>

const names = [
  ...[
    'a',
    'b',
    'run.sh',
    'x.log',
    'node_modules',
    'with space',
    ' first',
    'last ',
    '-dash',
    '.hidden',
    '.attributes',
  ],
  ...[
    'ü',
    'u\u0308',
    '\u{1F480}',
    '\uffee',
    'back\\slash',
    'line\nend',
    '"quoted"',
    'tab\there',
    'git~2',
    '.gitx',
  ],
  // Bytes that are no UTF-8, as Latin-1 leaves them.
  ...['caf\udce9', '\udcff'],
]
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const submodule = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 })
  .map(content => ({ mode: '160000' as const, content }))
const file = fc.record({
  mode: fc.constantFrom('100644' as const, '100755' as const),
  content: fc.constantFrom('', 'one\n', 'two\n', 'three\r\n', '\0binary', 'x'.repeat(3000)),
})
const link = fc.record({
  mode: fc.constant('120000' as const),
  content: fc.constantFrom('a', '../b', 'nowhere'),
})
const entry = fc.oneof(
  { weight: 6, arbitrary: file },
  { weight: 1, arbitrary: link },
  { weight: 1, arbitrary: submodule },
)

/** A tree in which `*.log` is ignored, and some such files are tracked all the same. */
export const tree: fc.Arbitrary<Model> = fc
  .array(fc.tuple(path, entry), { minLength: 1, maxLength: 12 })
  .map(entries => withEdits(new Map([['.gitignore', { mode: '100644', content: '*.log\n' }]]), entries))

export type Edit = readonly [path: string, entry: ModelEntry | null]

/** Edits of what is there, and of what is not; null deletes. */
export const edits = (of: Model): fc.Arbitrary<Edit[]> => {
  const known = fc.constantFrom(...of.keys())
  const place = fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: path })
  const after = fc.oneof(
    { weight: 3, arbitrary: file },
    { weight: 1, arbitrary: link },
    { weight: 2, arbitrary: fc.constant(null) },
  )
  return fc
    .array(fc.tuple(place, after), { minLength: 1, maxLength: 5 })
    .map(list => list.filter(([path]) => path !== '.gitignore'))
}

/** The tree after these edits; one that would make a file of a folder, or the other way round, is left out. */
export function withEdits(model: Model, list: readonly Edit[]): Map<string, ModelEntry> {
  const after = new Map(model)
  for (const [path, entry] of list) {
    if (entry === null) after.delete(path)
    else if (![...after.keys()].some(each => each.startsWith(`${path}/`) || path.startsWith(`${each}/`))) {
      after.set(path, entry)
    }
  }
  return after
}

/** What `git diff --name-status` is to say of two trees. */
export function statusOf(before: Model, after: Model): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .flatMap(path => {
      const [b, a] = [before.get(path), after.get(path)]
      if (b?.mode === a?.mode && b?.content === a?.content) return []
      const kind = (entry: ModelEntry) => entry.mode.slice(0, 3)
      const word = !b ? 'A' : !a ? 'D' : kind(b) === kind(a) ? 'M' : 'T'
      return [`${word} ${JSON.stringify(path)}`]
    })
    .sort()
}

/** A repo in memory, and real git for it. */
export function gitIn(t: TestContext) {
  const dir = memoryFolder(t)
  const run = (args: string[], input: string | Buffer = '') =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: dir,
      input,
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  run(['init', '--quiet', '--initial-branch=main'])
  return {
    dir,
    run,
    /** Commits of real git, each a child of `parent` or of none. */
    commits: (models: readonly { model: Model; parent?: number }[]): string[] => importAll(run, models),
    /** What real git says that each commit changed of its parent, in the form of `statusOf`. */
    changed: (pairs: readonly (readonly [parent: string, commit: string])[]): string[][] => {
      const input = pairs.map(([parent, commit]) => `${commit} ${parent}\n`).join('')
      const answer = run(['diff-tree', '--stdin', '-r', '-z', '--no-renames', '--name-status'], input)
      const found = new Map<string, string[]>()
      let current: string[] = []
      const words = splitAtZero(answer)
      for (let i = 0; i < words.length; i++) {
        const word = words[i]?.toString('latin1') ?? ''
        if (/^[0-9a-f]{40}$/.test(word)) {
          current = []
          found.set(word, current)
        } else current.push(`${word} ${JSON.stringify(pathOf(words[++i] as Buffer))}`)
      }
      return pairs.map(([, commit]) => (found.get(commit) ?? []).sort())
    },
  }
}

function splitAtZero(bytes: Buffer): Buffer[] {
  const words: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from)
    words.push(bytes.subarray(from, end))
    from = end + 1
  }
  return words
}

function importAll(
  run: (args: string[], input: string | Buffer) => Buffer,
  models: readonly { model: Model; parent?: number }[],
): string[] {
  const parts: Buffer[] = []
  const quoted = (path: string) => {
    const escaped = Array.from(bytesOf(path), byte =>
      byte < 0x21 || byte > 0x7e || byte === 0x22 || byte === 0x5c
        ? `\\${byte.toString(8).padStart(3, '0')}`
        : String.fromCharCode(byte),
    )
    return `"${escaped.join('')}"`
  }
  models.forEach(({ model, parent }, i) => {
    parts.push(
      Buffer.from(
        `commit refs/made/${i}\nmark :${i + 1}\ncommitter Ada <ada@example.com> ${1_700_000_000 + i} +0000\ndata 1\nx\n`,
      ),
    )
    if (parent !== undefined) parts.push(Buffer.from(`from :${parent + 1}\n`))
    parts.push(Buffer.from('deleteall\n'))
    for (const [path, { mode, content }] of model) {
      if (mode === '160000') parts.push(Buffer.from(`M 160000 ${content} ${quoted(path)}\n`))
      else {
        const bytes = Buffer.from(content)
        parts.push(
          Buffer.from(`M ${mode} inline ${quoted(path)}\ndata ${bytes.length}\n`),
          bytes,
          Buffer.from('\n'),
        )
      }
    }
  })
  run(['fast-import', '--quiet', '--force'], Buffer.concat(parts))
  const refs = run(['for-each-ref', '--format=%(refname) %(objectname)', 'refs/made'], '').toString()
  const found = new Map(
    refs
      .trim()
      .split('\n')
      .map(line => line.split(' ') as [string, string]),
  )
  return models.map((_, i) => found.get(`refs/made/${i}`) as string)
}

/** Does to the files what `withEdits` does to the model. What is packages' or a submodule's is let be. */
export function editFiles(dir: string, before: Model, after: Model): void {
  for (const path of before.keys())
    if (!after.has(path)) rmSync(placeOf(dir, path), { recursive: true, force: true })
  for (const [path, entry] of after) {
    const old = before.get(path)
    if (old?.mode === entry.mode && old.content === entry.content) continue
    const place = placeOf(dir, path)
    const isFile = old && lstatSync(place, { throwIfNoEntry: false })?.isFile()
    if (entry.mode === '120000' || !isFile) rmSync(place, { recursive: true, force: true })
    mkdirSync(placeOf(dir, dirname(path)), { recursive: true })
    if (entry.mode === '120000') symlinkSync(entry.content, place)
    else {
      writeFileSync(place, entry.content)
      chmodSync(place, entry.mode === '100755' ? 0o755 : 0o644)
    }
  }
}
