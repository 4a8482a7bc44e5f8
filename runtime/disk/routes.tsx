import { execFile } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { diskLevels } from '../../src/storage/disk-limit.ts'
import { DiskPage } from '../../views/instance/settings/disk-page.tsx'
import { scratchFolder } from '../isolation/reach.ts'
import type { VolumeService } from '../volume/contract.ts'
import { show } from '../web/show.ts'
import { type DiskState, partNames } from './contract.ts'
import { diskParts } from './parts.ts'

const diskShape = z.object({
  used_bytes: z.int(),
  limit_bytes: z.int().nullable().meta({ description: 'Null for no limit' }),
  level: z.enum(diskLevels).meta({
    description:
      '`warned` from 80 % on; `full` from 100 % on: saves, pushes and installations are refused; `beyond` from 110 % on: runs end',
  }),
  quota: z
    .object({ bytes: z.int(), files: z.int(), used_files: z.int() })
    .nullable()
    .meta({ description: 'Where the file system itself stops it; null where it is only watched' }),
  measured_at: z.iso.datetime(),
  parts: z.array(z.object({ name: z.enum(partNames), bytes: z.int() })),
})

/** A measurement is not older than that when it is shown. */
const freshMs = 30_000

export function diskRoutes({
  volume,
  guard,
  clock,
}: {
  volume: VolumeService
  guard: Guard
  clock: Clock
}): Route[] {
  const { room, folders } = volume
  const look = async ({ again = false } = {}): Promise<DiskState> => {
    const age = clock.now() - (room.use()?.at ?? 0)
    if (again || age < 0 || age > freshMs) await volume.measure()
    const parts = await diskParts(folders)
    const use = room.use()
    return {
      usedBytes: use?.bytes ?? 0,
      at: use?.at ?? clock.now(),
      limitBytes: room.limitBytes,
      level: room.level(),
      quota: await room.quota(),
      parts,
    }
  }
  const answer = async (c: AppContext) => {
    const { usedBytes, at, limitBytes, level, quota, parts } = await look({ again: true })
    return c.json({
      ...{ used_bytes: usedBytes, limit_bytes: limitBytes, level },
      quota: quota && { bytes: quota.bytes, files: quota.files, used_files: quota.usedFiles },
      ...{ measured_at: timestamp(at), parts },
    })
  }
  return [
    route({
      method: 'get',
      path: '/settings/disk',
      summary: 'What takes the disk space',
      guard,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: async c => {
        const state = await look()
        return show(c, <DiskPage now={clock.now()} {...state} />, { title: 'Disk', current: '/settings' })
      },
    }),
    route({
      method: 'get',
      path: '/api/disk',
      summary: 'How much disk space the instance uses, and for what; measured when you ask',
      guard,
      answers: { 200: { description: 'The use', schema: diskShape } },
      handle: answer,
    }),
    route({
      method: 'post',
      path: '/api/disk/delete-job-data',
      summary: 'Delete all files that jobs wrote to data/',
      guard,
      answers: { 200: { description: 'Deleted; the use after that', schema: diskShape } },
      handle: async c => {
        await emptyFolder(join(folders.jobsDir, scratchFolder))
        if (!wantsPage(c)) return answer(c)
        await volume.measure()
        return c.redirect('/settings/disk', 303)
      },
    }),
  ]
}

/** Deletes what is in a folder. Jobs may have taken themselves the right to look into folders of theirs. */
async function emptyFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    await rm(path, { recursive: true, force: true }).catch(async () => {
      await new Promise<void>(done => execFile('chmod', ['-R', 'u+rwX', path], () => done()))
      await rm(path, { recursive: true, force: true })
    })
  }
}
