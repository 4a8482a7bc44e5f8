import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { SdkService } from '../sdk/contract.ts'
import { type Failure, failed } from './failure.ts'
import { installScripts } from './install-scripts.ts'
import type { Installations } from './installations.ts'
import { type NpmLimits, runNpm } from './npm.ts'
import { ownPackages } from './own-package.ts'
import { sizeOfPackages, tooLarge } from './size.ts'
import { markFile, readText, readWanted, type Wanted } from './wanted.ts'

export interface InstallOptions extends NpmLimits {
  jobsDir: string
  installations: Installations
  cacheDir: string
  /** How much of the disk the packages may take. */
  bytes: number
  /** For the package `longhouse` that the repo may name. */
  sdk: Pick<SdkService, 'tarball'>
  /** Secrets that `.npmrc` names, for fetching. */
  secrets: Record<string, string>
  now: () => number
  signal: AbortSignal
  onOutput: (text: string) => void
}

export const commandLine = ({ command, withDev }: Wanted): string =>
  ['npm', command, ...(withDev ? [] : ['--omit=dev'])].join(' ')

/**
 * Installs the packages and leads the repo to them. What the repo had before stays, whole, when that fails:
 *
 * 1. npm works in a folder of its own, so that no one sees half an installation.
 * 2. What is too large is refused.
 * 3. The installation gets its name.
 * 4. A lockfile that was made or brought up to date goes into the repo.
 * 5. `node_modules` of the repo leads to the installation.
 *
 * Each of the last three is one step on the disk; after a kill between them the next start goes on from there. Packages
 * that lie in the repo itself can only be linked from there: npm then works in the repo. Returns why it failed, or null.
 */
export async function install(wanted: Wanted, options: InstallOptions): Promise<Failure | null> {
  const { installations, cacheDir } = options
  mkdirSync(cacheDir, { recursive: true })
  const work = installations.workFolder('work')
  try {
    return wanted.inPlace
      ? await installInPlace(wanted, options, work)
      : await installBeside(mkdtempSync(join(work, 'new-')), wanted, options, work)
  } finally {
    await rm(work, { recursive: true, force: true }).catch(() => {
      // The next start removes it.
    })
  }
}

async function installBeside(
  stage: string,
  wanted: Wanted,
  options: InstallOptions,
  work: string,
): Promise<Failure | null> {
  const { jobsDir, installations } = options
  stageFiles(jobsDir, stage)
  const failure = await withinBytes(stage, options, each => fetchAndBuild(stage, wanted, each, work))
  if (failure !== null) return failure
  if (options.signal.aborted) return failed('it was broken off.')
  const modules = join(stage, 'node_modules')
  mkdirSync(modules, { recursive: true })
  const size = await sizeOfPackages(modules)
  const refused = tooLarge(size, options.bytes)
  if (refused !== null) return failed(refused)
  const changed = readWanted(jobsDir)?.key !== wanted.key
  if (changed) return failed('package.json changed meanwhile.')

  const made = readWanted(stage)
  if (!made) return failed('npm left no package.json.')
  writeFileSync(join(stage, markFile), made.key)
  const lock = readText(join(stage, 'package-lock.json'))
  for (const name of staged) rmSync(join(stage, name), { force: true })
  // By the name under which it was asked for it is found again; without a lockfile, that had no versions yet.
  installations.add(stage, made.name, { bytes: size.bytes, installedAt: options.now() })
  const target = join(jobsDir, 'package-lock.json')
  if (lock !== null && readText(target) !== lock) {
    // Put in place whole: whatever has its name there is not written into.
    writeFileSync(join(work, 'package-lock.json'), lock)
    renameSync(join(work, 'package-lock.json'), target)
  }
  installations.use(made.name)
  return null
}

async function installInPlace(
  wanted: Wanted,
  options: InstallOptions,
  work: string,
): Promise<Failure | null> {
  const { jobsDir, installations } = options
  const before = installations.current()
  // npm would take what the link leads to for what is there, and then remove the link.
  installations.unlink()
  const failure = await fetchAndBuild(jobsDir, wanted, options, work)
  if (failure === null) writeMark(jobsDir)
  else if (before !== null && installations.has(before)) installations.use(before)
  return failure
}

/** How often the free space is looked at while npm works. */
const lookEveryMs = 1000

/** Ends the work when the packages outgrow their limit by far: they must not fill the volume before they are refused. */
async function withinBytes(
  stage: string,
  options: InstallOptions,
  work: (options: InstallOptions) => Promise<Failure | null>,
): Promise<Failure | null> {
  const free = async () => {
    const { bavail, bsize } = await statfs(stage)
    return bavail * bsize
  }
  const before = await free()
  const cut = new AbortController()
  let refused: string | null = null
  let looking: Promise<void> = Promise.resolve()
  const look = async () => {
    // What was fetched is kept as well, and other programs write too: only a look at the packages tells.
    if (before - (await free()) < 1.5 * options.bytes) return
    refused ??= tooLarge(await sizeOfPackages(join(stage, 'node_modules')), options.bytes)
    if (refused !== null) cut.abort()
  }
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {})
  }, lookEveryMs)
  try {
    const failure = await work({ ...options, signal: AbortSignal.any([options.signal, cut.signal]) })
    await looking
    return refused === null ? failure : failed(refused)
  } finally {
    clearInterval(timer)
  }
}

/**
 * First all packages are downloaded and extracted, without running scripts. Then the allowed scripts run; they can
 * write neither the rest of the repo nor npm’s cache, and they see no secret.
 */
async function fetchAndBuild(
  dir: string,
  wanted: Wanted,
  options: InstallOptions,
  workDir: string,
): Promise<Failure | null> {
  const which = wanted.withDev ? '--include=dev' : '--omit=dev'
  const fetch = (command: Wanted['command']) =>
    runNpm({
      ...options,
      workDir,
      cwd: dir,
      args: [command, which, '--ignore-scripts'],
      write: [dir],
      fetches: true,
      cached: ownPackages(dir, options.sdk),
      env: options.secrets,
    })
  let failure = await fetch(wanted.command)
  if (failure?.lacks?.length && !options.signal.aborted) {
    options.onOutput(
      `[longhouse] package-lock.json lacks ${failure.lacks.join(', ')}. They are added to it by "npm install".\n`,
    )
    failure = await fetch('install')
  }
  if (failure !== null || options.signal.aborted) return failure
  const { specs, folders, passedOver, unbuilt } = installScripts(dir)
  if (passedOver.length > 0) {
    const names = [...new Set(passedOver)].join(', ')
    options.onOutput(
      `[longhouse] Install scripts were not run: ${names}. "allowScripts" in package.json names those that may.\n`,
    )
  }
  if (unbuilt.length > 0) {
    const names = [...new Set(unbuilt)].join(', ')
    options.onOutput(
      `[longhouse] Fetched from git, and not built: ${names}. Their "prepare" is never run here. If a job does not find their files, publish them to a registry, or commit what "prepare" makes.\n`,
    )
  }
  if (specs.length === 0) return null
  return runNpm({
    ...options,
    workDir,
    cwd: dir,
    args: ['rebuild', ...specs],
    write: [join(dir, 'node_modules'), ...folders],
    cacheDir: null,
    fetches: false,
  })
}

const staged = ['package-lock.json', 'npm-shrinkwrap.json', '.npmrc']

function stageFiles(jobsDir: string, stage: string): void {
  const manifest = JSON.parse(readText(join(jobsDir, 'package.json')) ?? '') as Record<string, unknown>
  // The repo's own scripts want the repo around them, and often its development packages.
  delete manifest.scripts
  writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest, null, 2))
  for (const name of staged) {
    const text = readText(join(jobsDir, name))
    if (text !== null) writeFileSync(join(stage, name), text)
  }
}

function writeMark(jobsDir: string): void {
  const key = readWanted(jobsDir)?.key
  if (!key || !existsSync(join(jobsDir, 'node_modules'))) return
  const mark = join(jobsDir, markFile)
  rmSync(mark, { force: true })
  writeFileSync(mark, key, { flag: 'wx' })
}
