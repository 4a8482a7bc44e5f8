import { repoBounds } from '../../git/bounds.ts'
import { isEnvironment } from '../../git/environment-files.ts'
import { linkMode } from '../../git/objects/objects.ts'
import { pathOf } from '../../git/objects/path-bytes.ts'
import { git, outputOf } from '../git-command.ts'
import type { ReceiveAnswers } from './receive-protocol.ts'
import { largeInHistory, type Refusal } from './refusals.ts'

interface Push {
  repo: string
  from: string
  to: string
}

const mib = 1024 * 1024
/** All objects of a push together, as files: its history may hold more than its last commit. */
const mostBytes = 4 * repoBounds.bytes
const longestList = 32 * mib
/** A link's target is a path. */
const longestTarget = 4096

/**
 * Checks what was received, and changes nothing:
 *
 * 1. It contains the branch as it is, so that no commit is lost.
 * 2. It is complete: nothing that its commits name is missing.
 * 3. Its objects are within the limits, and none is a file of secrets, in any commit.
 * 4. Its last commit has files that can be here: no submodules, no links out of the repo, no two names that some
 *    systems take for one.
 */
export async function checkPush(push: Push): Promise<ReceiveAnswers['unpack']> {
  const refuse = (reason: string, detail: string) => ({
    refused: { reason, detail: `${detail} Nothing was changed.` },
  })
  const { repo, from, to } = push
  const type = await git(['cat-file', '-t', to], { repo, input: '' })
  if (type.stdout.toString('latin1') !== 'commit\n')
    return refuse('not a commit', 'The branch must point to a commit, and all of it must be sent.')
  const contained = await git(['merge-base', '--is-ancestor', from, to], { repo, input: '' })
  const commits =
    contained.code === 0 ? await git(['rev-list', '--count', to, `^${from}`], { repo, input: '' }) : contained
  const listed = await git(['rev-list', '--objects', to, `^${from}`], {
    repo,
    input: '',
    limitBytes: longestList,
  })
  if (listed.tooMuch) return refuse('too large', 'The push has too many files and commits.')
  if (listed.code !== 0 || contained.code === null || contained.code > 1) {
    return refuse(
      'incomplete history',
      'The push lacks commits or files that it needs. If your clone is shallow, run git fetch --unshallow first.',
    )
  }
  if (contained.code === 1) {
    return refuse(
      'not a fast-forward',
      'The push does not contain the commits of the instance, and nothing is ever forced. Run git pull --rebase, then push again.',
    )
  }
  const secret = await secretIn(push)
  if (secret === tooMany) return refuse('too large', 'The push has too many files and commits.')
  if (secret !== null) {
    return refuse(
      'a file of secrets',
      `${secret} would stay in the history. Nothing was changed. Remove it from every commit of the push, as with git rm --cached and git commit --amend, name it in .gitignore, and put its values into the secrets of the instance.`,
    )
  }
  const objects = await sizesOf(repo, listed.stdout)
  if ('refused' in objects) return objects
  const changes = await changesOf(push)
  if (!changes) return refuse('too large', `The push changes more than ${repoBounds.files} files.`)
  const refused =
    packagesIn(changes) ??
    tooLarge(changes, objects.sizes) ??
    submoduleIn(changes) ??
    (await badLinkIn(repo, changes, objects.sizes)) ??
    (await badNamesIn(push, changes))
  if (refused) return refuse(refused.reason, refused.detail)
  return {
    refused: null,
    commits: Number(commits.stdout.toString('latin1')),
    changes: changes.map(({ path, before, after }) => ({
      path,
      kind: after === null ? 'removed' : before === null ? 'added' : 'changed',
    })),
  }
}

const tooMany = Symbol('more than can be checked')

/**
 * Returns the path of a file of secrets that a new commit adds or changes, or null. By the names in the trees of each commit: the
 * content may be known already, from another file or an earlier commit, and a list of new objects lacks it then.
 */
async function secretIn({ repo, from, to }: Push): Promise<string | null | typeof tooMany> {
  const commits = await outputOf(['rev-list', to, `^${from}`], { repo, limitBytes: longestList })
  if (!commits) return tooMany
  // Of a merge, only what differs from all its parents: what one of them has is new in another commit, or here already.
  const args = ['diff-tree', '--stdin', '--root', '--no-commit-id', '-r', '-c', '-z', '--raw', '--no-renames']
  const output = await outputOf(args, { repo, input: commits.toString('latin1'), limitBytes: longestList })
  if (!output) return tooMany
  const fields = splitAtZero(output)
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [modes = ''] = /^:+(?:\d+ )+/.exec(String(fields[i])) ?? []
    const mode = modes.trim().split(' ').at(-1)
    const path = pathOf(fields[i + 1] as Buffer)
    if (mode !== '000000' && isEnvironment(path.split('/').at(-1) ?? '')) return path
  }
  return null
}

/** The sizes of the new objects, in bytes. `listed` has an object a line, with a path that it has. */
async function sizesOf(
  repo: string,
  listed: Buffer,
): Promise<{ sizes: ReadonlyMap<string, number> } | { refused: Refusal }> {
  const lines = listed.toString('utf8').split('\n').filter(Boolean)
  const input = lines.map(line => `${line.slice(0, 40)}\n`).join('')
  const answer = await outputOf(['cat-file', '--batch-check=%(objectsize)'], {
    repo,
    input,
    limitBytes: longestList,
  })
  const facts = (answer ?? Buffer.alloc(0)).toString('latin1').split('\n')
  const objects = lines.map((line, i) => {
    const size = facts[i]
    return { oid: line.slice(0, 40), path: line.slice(41), size: Number(size) }
  })
  const total = objects.reduce((sum, { size }) => sum + size, 0)
  if (!(total <= mostBytes)) {
    const largest = objects.reduce((one, other) => (other.size > one.size ? other : one))
    const detail = `The push has ${Math.ceil(total / mib)} MiB in all its commits, and may have ${mostBytes / mib}. The largest file is ${largest.path}, with ${Math.ceil(largest.size / mib)} MiB. Nothing was changed. ${largeInHistory}`
    return { refused: { reason: 'too large', detail } }
  }
  return { sizes: new Map(objects.map(({ oid, size }) => [oid, size])) }
}

interface EntryChange {
  path: string
  before: { mode: string; oid: string } | null
  after: { mode: string; oid: string } | null
}

/** The paths in which the last commit differs from the branch; null if they are too many. */
async function changesOf({ repo, from, to }: Push): Promise<EntryChange[] | null> {
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--raw',
    '--no-renames',
    '--no-abbrev',
    '--ignore-submodules=none',
    from,
    to,
  ]
  const output = await outputOf(args, { repo, limitBytes: 8 * mib })
  if (!output) return null
  const fields = splitAtZero(output)
  const changes: EntryChange[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [oldMode = '', mode = '', oldOid = '', oid = ''] = String(fields[i]).slice(1).split(' ')
    const entry = (mode: string, oid: string) => (mode === '000000' ? null : { mode, oid })
    changes.push({
      path: pathOf(fields[i + 1] as Buffer),
      before: entry(oldMode, oldOid),
      after: entry(mode, oid),
    })
  }
  return changes.length > repoBounds.files ? null : changes
}

function splitAtZero(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from)
    if (end < 0) break
    parts.push(bytes.subarray(from, end))
    from = end + 1
  }
  return parts
}

function tooLarge(changes: readonly EntryChange[], sizes: ReadonlyMap<string, number>): Refusal | null {
  let [total, largest] = [0, { path: '', size: 0 }]
  for (const { path, after } of changes) {
    const size = (after && sizes.get(after.oid)) ?? 0
    total += size
    if (size > largest.size) largest = { path, size }
  }
  if (total <= repoBounds.bytes) return null
  const detail = `A change may have ${repoBounds.bytes / mib} MiB, and this one has ${Math.ceil(total / mib)}. The largest file is ${largest.path}, with ${Math.ceil(largest.size / mib)} MiB. ${largeInHistory}`
  return { reason: 'too large', detail }
}

/** Packages by accident: thousands of files, of which no single one is the cause. */
function packagesIn(changes: readonly EntryChange[]): Refusal | null {
  for (const { path, after } of changes) {
    const parts = path.split('/')
    const at = parts.indexOf('node_modules')
    if (after === null || at < 0) continue
    const folder = parts.slice(0, at + 1).join('/')
    const detail = `${folder} is committed. The instance installs the packages that package.json names. Run git rm -r --cached ${folder}, name node_modules in .gitignore, and amend the commit.`
    return { reason: 'packages are committed', detail }
  }
  return null
}

function submoduleIn(changes: readonly EntryChange[]): Refusal | null {
  const found = changes.find(({ after }) => after?.mode === '160000')
  if (!found) return null
  const detail = `${found.path} is a submodule, and its files are not fetched here. Commit the files themselves, or install it as a package.`
  return { reason: 'a submodule', detail }
}

async function badLinkIn(
  repo: string,
  changes: readonly EntryChange[],
  sizes: ReadonlyMap<string, number>,
): Promise<Refusal | null> {
  for (const { path, after } of changes) {
    if (after?.mode !== linkMode) continue
    const size = sizes.get(after.oid) ?? 0
    const target =
      size > longestTarget
        ? null
        : await outputOf(['cat-file', 'blob', after.oid], { repo, limitBytes: longestTarget })
    if (target && staysInside(path, pathOf(target))) continue
    const detail = `${path} is a link out of the jobs repo. Commit the file itself.`
    return { reason: 'a link out of the repo', detail }
  }
  return null
}

function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false
  const place = path.split('/').slice(0, -1)
  let down = false
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      // Below a name that may be a link as well, the way up is another one than it seems.
      if (down || place.pop() === undefined) return false
    } else {
      down = true
      place.push(part)
    }
  }
  return place[0]?.toLowerCase() !== '.git'
}

/** Refuses too many files, and two new names that are one on a Mac or on Windows. */
async function badNamesIn({ repo, to }: Push, changes: readonly EntryChange[]): Promise<Refusal | null> {
  const output = await outputOf(['ls-tree', '-r', '-z', '--name-only', to], { repo, limitBytes: 8 * mib })
  const paths = output && splitAtZero(output).map(pathOf)
  const more = changes.reduce((sum, { before, after }) => sum + Number(!before) - Number(!after), 0)
  if (more > 0 && (paths?.length ?? Number.POSITIVE_INFINITY) > repoBounds.files) {
    const detail = `The jobs repo may have ${repoBounds.files} files. Leave data out of git.`
    return { reason: 'too many files', detail }
  }
  if (!paths) return null
  const spellings = new Map<string, string>()
  const clashes = new Map<string, string[]>()
  for (const path of new Set(paths.flatMap(withFolders))) {
    const key = path.normalize('NFC').toLowerCase()
    const other = spellings.get(key)
    if (other === undefined) spellings.set(key, path)
    else clashes.set(key, [other, path])
  }
  for (const { path, before, after } of changes) {
    if (before !== null || after === null) continue
    for (const each of withFolders(path)) {
      const key = each.normalize('NFC').toLowerCase()
      const names = clashes.get(key)
      if (!names) continue
      const detail = `${names.join(' and ')} differ only in case, so a clone on a Mac or on Windows would have only one of them. Rename one.`
      return { reason: 'names that differ only in case', detail }
    }
  }
  return null
}

function withFolders(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
