import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { rm, statfs } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { SdkService } from '../sdk/contract.ts'
import type { Room } from '../volume/contract.ts'
import { findInFile } from './files/fault.ts'
import { isFolderOf } from './files/own-folders.ts'
import { parseText, readText } from './files/package-files.ts'
import { markFile, nameOf, readWanted, type Wanted } from './files/wanted.ts'
import { installScripts } from './install-scripts.ts'
import type { Installations } from './installations.ts'
import { notesBefore } from './notes.ts'
import { type Failure, failed } from './npm/failure.ts'
import { type NpmLimits, runNpm } from './npm/npm.ts'
import { ownPackages } from './own-package.ts'
import { type PackagesRoom, sizeOfAll, sizeOfPackages, tooLarge } from './size.ts'
import { type Fetched, fillStage, readFetched, takeInstalled } from './stage.ts'

export interface InstallOptions extends NpmLimits, PackagesRoom {
  jobsDir: string
  installations: Installations
  cacheDir: string
  /** For the package `longhouse` that the repo may name. */
  sdk: Pick<SdkService, 'tarball'>
  /** Secrets that `.npmrc` names, for fetching. */
  secrets: Record<string, string>
  now: () => number
  /** Waits for npm that a person runs in the repo. Returns why its folder may not be replaced, or null. */
  checkoutSettled: () => Promise<string | null>
  signal: AbortSignal
  onOutput: (text: string) => void
}

export const commandLine = ({ command, withDev }: Wanted): string =>
  ['npm', command, ...(withDev ? [] : ['--omit=dev'])].join(' ')

/**
 * Installs the packages and leads the repo to them. What the repo had before stays, whole, when that fails:
 *
 * 1. npm works in a folder of its own, so that no one sees half an installation. Of the repo's own packages it gets the
 *    `package.json`.
 * 2. What is too large is refused. npm that a person runs in the repo is waited for.
 * 3. The installation gets its name. Links in it lead to the repo's own packages, which stay where they are.
 * 4. A lockfile that was made or brought up to date goes into the repo.
 * 5. `node_modules` of the repo leads to the installation.
 * 6. Allowed scripts of the repo's own packages run in the repo. Until they have, the installation counts as not there.
 *
 * Each of the steps 3 to 5 is one step on the disk; after a kill between them the next start goes on from there. Returns
 * why it failed, or null.
 */
export async function install(wanted: Wanted, options: InstallOptions): Promise<Failure | null> {
  const { installations, cacheDir } = options
  mkdirSync(cacheDir, { recursive: true })
  const work = installations.workFolder('work')
  try {
    return await installBeside(mkdtempSync(join(work, 'new-')), wanted, options, work)
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
  const { jobsDir, installations, now } = options
  fillStage(stage, jobsDir, wanted.own)
  const fetched = await withinBytes(stage, options, each => fetchAndBuild(stage, wanted, each, work))
  if ('message' in fetched) return fetched
  if (options.signal.aborted) return failed('it was broken off.')
  const { folders, lock, key } = fetched
  if (key === null) return failed('npm left no package.json.')
  const name = nameOf(key, wanted.withDev)
  const made = join(work, 'made')
  const home = installations.placeOf(name)
  const nested = takeInstalled(stage, made, { jobsDir, home, own: wanted.own, links: fetched.links })
  if (nested === null) return failed('a script of a package put a link in place of a folder of packages.')
  const size = await sizeOfAll(made, nested)
  const refused = tooLarge(size, options)
  if (refused !== null) return failed(refused)
  const busy = await options.checkoutSettled()
  if (busy !== null) return failed(busy, { passing: true })
  const changed = readWanted(jobsDir)?.key !== wanted.key
  if (changed) return failed('package.json changed meanwhile.')

  writeFileSync(join(made, markFile), folders.length > 0 ? unfinished : key)
  const before = installations.current()
  // By the name under which it was asked for it is found again; without a lockfile, that had no versions yet.
  installations.add(made, name, { bytes: size.bytes, installedAt: now(), nested })
  const target = join(jobsDir, lock?.name ?? '')
  if (lock && readText(target) !== lock.text) {
    // Put in place whole: whatever has its name there is not written into.
    writeFileSync(join(work, lock.name), lock.text)
    renameSync(join(work, lock.name), target)
  }
  installations.use(name)
  if (folders.length === 0) return null
  const failure = await runOwnScripts(folders, options, work)
  if (failure === null) writeFileSync(join(installations.placeOf(name), markFile), key)
  else await installations.takeBack(name, before)
  return failure
}

/** What an installation may take: its limit, or what is left of the instance's disk space. */
export function spaceFor(room: Room, limitBytes: number): PackagesRoom {
  const left = (room.limitBytes ?? Number.POSITIVE_INFINITY) - (room.use()?.bytes ?? 0)
  if (left >= limitBytes)
    return { bytes: limitBytes, remedy: 'the operator can raise INSTANCE_PACKAGES_LIMIT' }
  const use = room.words()
  return {
    bytes: left,
    remedy: `${use[0]?.toLowerCase()}${use.slice(1)}. Delete what is not needed, or ask the operator for more`,
  }
}

/** The mark of an installation that is not done; no key is like it. */
const unfinished = 'unfinished'

/** What npm runs in a folder that it links to, in its order. */
const ownStages = ['preinstall', 'install', 'postinstall', 'prepare']

async function runOwnScripts(
  folders: readonly string[],
  options: InstallOptions,
  workDir: string,
): Promise<Failure | null> {
  for (const folder of folders) {
    const { scripts } = parseText<{ scripts?: unknown }>(readText(join(folder, 'package.json')) ?? '') ?? {}
    for (const stage of ownStages.filter(each => Object.hasOwn(Object(scripts), each))) {
      const failure = await runNpm({
        ...options,
        workDir,
        cwd: folder,
        args: ['run', stage],
        write: [folder],
        cacheDir: null,
        fetches: false,
      })
      if (failure === null) continue
      const own = relative(options.jobsDir, folder)
      const line = findInFile(readText(join(folder, 'package.json')), `"${stage}"`)
      const message = `its script "${stage}" failed, which "allowScripts" lets run. Its output is below.`
      return { ...failed(message), place: { file: `${own}/package.json`, line } }
    }
  }
  return null
}

/** How often the free space is looked at while npm works. */
const lookEveryMs = 1000

/** Ends the work when the packages outgrow their limit by far: they must not fill the volume before they are refused. */
async function withinBytes(
  stage: string,
  options: InstallOptions,
  work: (options: InstallOptions) => Promise<Failure | Built>,
): Promise<Failure | Built> {
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
    refused ??= tooLarge(await sizeOfPackages(join(stage, 'node_modules')), options)
    if (refused !== null) cut.abort()
  }
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {})
  }, lookEveryMs)
  try {
    const result = await work({ ...options, signal: AbortSignal.any([options.signal, cut.signal]) })
    await looking
    return refused === null ? result : failed(refused)
  } finally {
    clearInterval(timer)
  }
}

interface Built extends Fetched {
  /** Folders of the repo's own packages whose scripts are allowed. */
  folders: string[]
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
): Promise<Failure | Built> {
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
  for (const line of notesBefore(options.jobsDir)) options.onOutput(`[longhouse] ${line}\n`)
  let failure = await fetch(wanted.command)
  if (failure?.lacks?.length && !options.signal.aborted) {
    options.onOutput(
      `[longhouse] package-lock.json lacks ${failure.lacks.join(', ')}. They are added to it by "npm install".\n`,
    )
    failure = await fetch('install')
  }
  if (failure !== null) return failure
  if (options.signal.aborted) return failed('it was broken off.')
  const { specs, optional, folders, passedOver, unbuilt } = installScripts(dir, options.jobsDir)
  const known = readFetched(dir)
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
  const build = (built: readonly string[]) =>
    runNpm({
      ...options,
      workDir,
      cwd: dir,
      args: ['rebuild', ...built],
      write: [dir],
      cacheDir: null,
      fetches: false,
    })
  const failing = specs.length > 0 ? await build(specs) : null
  if (failing !== null) return failing
  for (const { spec, path } of optional) {
    if ((await build([spec])) === null) continue
    if (options.signal.aborted) return failed('it was broken off.')
    if (isFolderOf(dir, dirname(path))) await rm(path, { recursive: true, force: true })
    options.onOutput(`[longhouse] ${spec} is optional, could not be built, and is left out.\n`)
  }
  return { ...known, folders }
}
