import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Failure, failed } from './failure.ts'
import { installScripts } from './install-scripts.ts'
import { type NpmLimits, runNpm } from './npm.ts'
import { markFile, readText, readWanted, type Wanted } from './wanted.ts'

export interface InstallOptions extends NpmLimits {
  jobsDir: string
  /** On the same file system as the jobs repo, and ours alone. */
  workDir: string
  cacheDir: string
  signal: AbortSignal
  onOutput: (text: string) => void
}

export const commandLine = ({ command, withDev }: Wanted): string =>
  ['npm', command, ...(withDev ? [] : ['--omit=dev'])].join(' ')

/**
 * Installs beside the repo and then puts `node_modules` in place whole: what was there serves until then, and stays
 * when it fails. A lockfile that was made or brought up to date goes into the repo. Returns why it failed, or null.
 */
export async function install(wanted: Wanted, options: InstallOptions): Promise<Failure | null> {
  const { jobsDir, workDir, cacheDir } = options
  await rm(workDir, { recursive: true, force: true })
  for (const folder of [workDir, cacheDir]) mkdirSync(folder, { recursive: true })
  if (wanted.inPlace) {
    const failure = await fetchAndBuild(jobsDir, wanted, options)
    if (failure === null) writeMark(jobsDir)
    return failure
  }
  const stage = mkdtempSync(join(workDir, 'new-'))
  stageFiles(jobsDir, stage)
  const failure = await fetchAndBuild(stage, wanted, options)
  if (failure !== null) return failure
  if (options.signal.aborted) return failed('it was broken off.')
  const changed = readWanted(jobsDir)?.key !== wanted.key
  if (changed) return failed('package.json changed meanwhile.')
  takeOver(stage, options)
  writeMark(jobsDir)
  return null
}

/**
 * First all packages are downloaded and extracted, without running scripts. Then the allowed scripts run; they can
 * write neither the rest of the repo nor npm’s cache.
 */
async function fetchAndBuild(dir: string, wanted: Wanted, options: InstallOptions): Promise<Failure | null> {
  const which = wanted.withDev ? '--include=dev' : '--omit=dev'
  const failure = await runNpm({
    ...options,
    cwd: dir,
    args: [wanted.command, which, '--ignore-scripts'],
    write: [dir],
    fetches: true,
  })
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

function takeOver(stage: string, { jobsDir, workDir }: InstallOptions): void {
  const modules = join(jobsDir, 'node_modules')
  const fresh = join(stage, 'node_modules')
  mkdirSync(fresh, { recursive: true })
  if (existsSync(modules)) renameSync(modules, join(workDir, 'old'))
  renameSync(fresh, modules)
  const lock = join(stage, 'package-lock.json')
  const target = join(jobsDir, 'package-lock.json')
  // Put in place whole: whatever has its name there is not written into.
  if (existsSync(lock) && readText(target) !== readText(lock)) renameSync(lock, target)
  rmSync(join(stage, '.npmrc'), { force: true })
}

function writeMark(jobsDir: string): void {
  const key = readWanted(jobsDir)?.key
  if (!key) return
  const mark = join(jobsDir, markFile)
  rmSync(mark, { force: true })
  writeFileSync(mark, key, { flag: 'wx' })
}
