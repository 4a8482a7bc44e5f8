import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { ContainerCreateOptions } from 'dockerode'
import { z } from 'zod'
import { DriverError, type FolderWork } from '../../driver.ts'
import { FolderProgress } from '../../folder-progress.ts'
import { FolderReport } from '../../folder-report.ts'
import { attach, framesOf } from './attachment.ts'
import type { ContainerSettings } from './container.ts'
import { noSuchContainer } from './discovery.ts'
import type { Engine } from './engine.ts'
import { createContainer } from './instance.ts'
import type { ReplacementParts } from './replacement.ts'

/** Marks containers that work on a folder; the value is the folder. */
export const workLabel = 'longhouse.work'

const mebibyte = 1024 ** 2
/** A runtime that proves a copy reads a customer's manifest. */
const memoryBytes = 512 * mebibyte
/** Of 1024, which each instance has: jobs come first. */
const cpuShares = 102

const looksUntilGone = 100
const lookAgainMs = 100

/**
 * Works on a folder in a container of its own, which has nothing but the folder: no network, no rights, no log. It is removed
 * by the engine when it ends; one that a control plane which was killed left behind is removed first. It is ended when nothing
 * moves for `idleMs`.
 */
export async function workInContainer(
  parts: ReplacementParts,
  { command, folder, options = {}, image, input, output, signal }: FolderWork,
  idleMs: number,
): Promise<unknown> {
  const { engine, clock, settings, ensureImage } = parts
  const doing = `${command} ${folder}`
  const ended = () => new DriverError(`could not ${doing}: it was ended`, { permanent: false })
  const imageId = await ensureImage({ image, imageId: null })
  const name = `longhouse-copy-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
  await removeContainer(engine, clock, name)
  if (signal.aborted) throw ended()
  const recipe = containerRecipe(settings, { imageId, folder, command, options })
  if (!(await createContainer(engine, name, recipe)))
    throw new DriverError(`could not ${doing}: other work on it is in progress`, { permanent: false })
  let streams: Duplex | undefined
  const progress = new FolderProgress(idleMs)
  const over = AbortSignal.any([signal, progress.signal])
  // Waited for below: later it would take the container of the next work on this folder, which has the same name.
  let killed: Promise<void> | undefined
  const kill = () => {
    streams?.destroy()
    killed ??= removeContainer(engine, clock, name).catch(() => {})
  }
  over.addEventListener('abort', kill)
  const report = new FolderReport()
  let isDone = false
  try {
    if (signal.aborted) throw ended()
    streams = await attach(engine.socketPath, name)
    if (over.aborted) throw ended()
    await engine.command(`start ${name}`, { method: 'POST', path: `/containers/${name}/start` })
    const fed = progress.feed(input, streams)
    for await (const { stream, bytes } of framesOf(streams)) {
      if (stream === 'error') report.add(bytes)
      if (stream === 'output' && output) await progress.passOn(output, bytes, over)
      else progress.moved()
    }
    if (signal.aborted) throw ended()
    const result = reportOf(report, doing, image)
    await fed
    isDone = true
    return result
  } catch (error) {
    throw progress.fault(doing, report) ?? error
  } finally {
    progress.end()
    over.removeEventListener('abort', kill)
    streams?.destroy()
    await killed
    const removed = removeContainer(engine, clock, name)
    // Why the work failed says more than that the engine needs longer.
    await (isDone ? removed : removed.catch(() => {}))
  }
}

function reportOf(report: FolderReport, doing: string, image: string): unknown {
  try {
    return report.read(doing)
  } catch (error) {
    if (!/Cannot find module .*copy\.js/.test((error as Error).message)) throw error
    throw new DriverError(
      `the image ${image} is too old to make copies; build a new one (npm run images), or set CONTROL_PLANE_IMAGE to one`,
      { permanent: true },
    )
  }
}

function containerRecipe(
  { user, runtime }: ContainerSettings,
  {
    imageId,
    folder,
    command,
    options,
  }: { imageId: string } & Pick<FolderWork, 'folder' | 'command' | 'options'>,
): ContainerCreateOptions {
  return {
    Image: imageId,
    Cmd: ['node', '/app/dist/copy.js', command, '/data', JSON.stringify(options)],
    User: `${user.uid}:${user.gid}`,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      AutoRemove: true,
      Mounts: [{ Type: 'bind', Source: folder, Target: '/data' }],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,size=64m,mode=1777' },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Init: true,
      ...(runtime !== undefined && { Runtime: runtime }),
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      CpuShares: cpuShares,
      PidsLimit: 256,
      OomScoreAdj: 800,
      LogConfig: { Type: 'none', Config: {} },
    },
    Labels: { [workLabel]: folder },
  }
}

/** Removes a container by its name, and returns once the engine no longer knows the name. */
async function removeContainer(
  engine: Engine,
  clock: ReplacementParts['clock'],
  name: string,
): Promise<void> {
  for (let look = 0; look < looksUntilGone; look++) {
    const there = await engine.command(
      `remove ${name}`,
      { method: 'DELETE', path: `/containers/${name}`, query: { force: true } },
      { already: [409], absent: noSuchContainer(name) }, // 409: its removal is going on already.
    )
    if (!there && !(await isThere(engine, name))) return
    await clock.sleep(lookAgainMs)
  }
  throw new DriverError(`the engine is still removing ${name}`, { permanent: false })
}

async function isThere(engine: Engine, name: string): Promise<boolean> {
  const found = await engine.find(
    `look at ${name}`,
    { method: 'GET', path: `/containers/${name}/json` },
    z.object({ Id: z.string() }),
    { absent: noSuchContainer(name) },
  )
  return found !== null
}
