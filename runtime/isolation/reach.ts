import { lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { builtRoot } from '../../src/root.ts'

/** What a program may read and write. */
export interface Reach {
  /** Absolute paths; a folder includes its contents. */
  read: readonly string[]
  write: readonly string[]
  /** True for a program that has to move files between folders. */
  moves?: boolean
  /** A folder in which others may be replaced: what lies in it is looked up when the restriction starts, not before. */
  changing?: string
}

/** The folder of the jobs repo for jobs' files. */
export const scratchFolder = 'data'

/** In the volume, the folder of the jobs repo. */
export const jobsFolder = 'jobs'

/** In the volume, the folder of the certificate authorities that the operator trusts. */
export const certificatesFolder = 'certificates'

/** In the volume, the folder of the installed packages: one folder an installation. */
export const packagesFolder = 'packages'

/** What programs need from a system: shared libraries, certificates, time zones, other programs. */
const system = {
  read: [
    ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/usr', '/etc', '/opt', '/sys'],
    ...['/nix/store', '/run/systemd/resolve', '/run/resolvconf', '/System', '/Library', '/private/etc'],
    ...['self', 'thread-self', 'net', 'sys', 'cpuinfo', 'meminfo', 'stat', 'loadavg', 'uptime'].map(
      name => `/proc/${name}`,
    ),
    ...['version', 'mounts', 'filesystems'].map(name => `/proc/${name}`),
  ],
  write: [
    // Without /dev/shm: files left there outlive a run, and other runs could read them.
    ...['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'],
    ...['/dev/fd', '/dev/stdin', '/dev/stdout', '/dev/stderr'],
  ],
}

/** The files of our own programs. */
function ourPrograms(): string[] {
  return [builtRoot(), process.execPath, join(dirname(dirname(process.execPath)), 'lib')]
}

/**
 * What a run may read and write. From the volume: the jobs repo, its packages, the builds, the scratch folder and its own temporary
 * folder. Nothing beside the volume, which may be other volumes.
 */
export function reachOfRuns(volumeDir: string, jobsDir: string, temporary: string): Reach {
  const reach = around(volumeDir, {
    read: [jobsDir, join(volumeDir, 'builds'), join(volumeDir, packagesFolder)],
    write: [join(jobsDir, scratchFolder), temporary],
  })
  // A runner may wait for its run while the jobs folder is replaced.
  return { ...reach, changing: volumeDir }
}

/**
 * For the reader of a manifest: it compiles the repo (or a copy of it) into `out`, with esbuild. Modules make folders and
 * databases in the scratch folder while they are loaded, which a run would let them do.
 */
export function reachOfReader(
  volumeDir: string,
  { repo, out, temporary }: { repo: string; out: string; temporary: string },
): Reach {
  return around(volumeDir, {
    read: [repo, join(volumeDir, packagesFolder), ...compiler()],
    write: [out, temporary, join(repo, scratchFolder)],
  })
}

/**
 * Makes the folder of the jobs' files if it is missing: what is not there cannot be opened to a program. Nothing is made
 * through a link in place of the repo.
 */
export function makeScratchFolder(repo: string): void {
  try {
    if (lstatSync(repo).isDirectory()) mkdirSync(join(repo, scratchFolder))
  } catch {
    // It exists, or the disk is full.
  }
}

/** esbuild and its program, which npm puts beside it. */
function compiler(): string[] {
  try {
    const esbuild = dirname(createRequire(builtRoot('package.json')).resolve('esbuild/package.json'))
    return [esbuild, join(dirname(esbuild), '@esbuild')]
  } catch {
    return [] // The reader says that it is missing.
  }
}

/** For npm: it installs into the given folders. The same applies to scripts of packages. */
export function reachOfNpm(volumeDir: string, own: Reach): Reach {
  return around(volumeDir, own)
}

/** For a helper program of ours: the folders that it works on. A sync moves files aside before it replaces them. */
export function reachOfHelper(volumeDir: string, write: readonly string[]): Reach {
  return { ...around(volumeDir, { read: [], write }), moves: true }
}

/** For a git that people clone with: it reads the jobs repo, and the repository of ours in `temporary` around it. */
export function reachOfClones(volumeDir: string, jobsDir: string, temporary: string): Reach {
  return around(volumeDir, { read: [join(jobsDir, '.git')], write: [temporary] })
}

function around(volumeDir: string, own: Reach): Reach {
  const folder = dirname(volumeDir)
  const hidden = dirname(folder) === folder ? volumeDir : folder
  const visible = (path: string) => beside(path, hidden)
  return {
    read: [
      ...[...system.read, ...ourPrograms()].flatMap(visible),
      join(volumeDir, certificatesFolder),
      ...own.read,
    ],
    write: [...system.write, ...own.write],
  }
}

/** The path, or if it contains `hidden`, everything in it except the way to that. */
function beside(path: string, hidden: string): string[] {
  if (path === hidden) return []
  if (!isWithin(hidden, path)) return [path]
  try {
    return readdirSync(path).flatMap(name => beside(join(path, name), hidden))
  } catch {
    return []
  }
}

/** Whether a path is the folder, or lies in it. Both are absolute. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/**
 * The same reach in fewer paths, for a restriction that follows links and counts by folders: without what is not there,
 * what lies in another folder that can be read, and links that can be written, which lead to what was open before. Left as
 * it is what may change. `/proc` can be read in any case.
 */
export function withoutRepeats(reach: Reach): Reach {
  const mayChange = (path: string) => reach.changing !== undefined && isWithin(path, reach.changing)
  const real = reach.read.filter(path => !mayChange(path)).flatMap(path => found(path).real ?? [])
  const distinct = [...new Set(real)].filter(
    path => ![...real, '/proc'].some(other => other !== path && isWithin(path, other)),
  )
  return {
    ...reach,
    read: [...distinct, ...reach.read.filter(mayChange)],
    write: reach.write.filter(path => !system.write.includes(path) || found(path).isOwn),
  }
}

interface Found {
  /** Where links lead to; null when there is nothing. */
  real: string | null
  /** It is there, and no link. */
  isOwn: boolean
}

let known = new Map<string, Found>()
let knownUntil = 0
const knownForMs = 60_000

/** What there is at a path of the system, as of the last minute. */
function found(path: string): Found {
  if (performance.now() > knownUntil) {
    known = new Map()
    knownUntil = performance.now() + knownForMs
  }
  const before = known.get(path)
  if (before) return before
  const now = look(path)
  known.set(path, now)
  return now
}

function look(path: string): Found {
  try {
    return { real: realpathSync(path), isOwn: !lstatSync(path).isSymbolicLink() }
  } catch {
    return { real: null, isOwn: false }
  }
}

/** A run may use the network, start programs and threads, and load native addons; only files are restricted. */
const allowed = ['net', 'child-process', 'worker', 'addons', 'wasi', 'ffi']

/** Node warns about each permission at every start, which is useless in a job’s log. */
export const silent = [
  ...['PERM0001', 'PERM0002', 'PERM0003', 'PERM0004', 'PERM0005', 'PERM0006', 'PERM0007'],
  'ExperimentalWarning',
].map(name => `--disable-warning=${name}`)

/** Node's own permissions for the same paths, whose errors name the file. */
export function permissionArgs({ read, write }: Reach): string[] {
  return [
    '--permission',
    // An older release of the same Node knows fewer of them, and refuses the others.
    ...allowed.map(name => `--allow-${name}`).filter(flag => process.allowedNodeEnvironmentFlags.has(flag)),
    // In this order, because a folder would make Node drop the paths in it that it knows already.
    ...[...read, ...write].sort().map(path => `--allow-fs-read=${path}`),
    ...write.map(path => `--allow-fs-write=${path}`),
    ...silent,
  ]
}
