import { statfs } from 'node:fs/promises'
import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { DiskPage } from '../../../views/operator/host/disk-page.tsx'
import { notPossibleNow } from '../contract.ts'
import { DriverError } from '../driver.ts'
import { type ProvisionerRoutes, truth } from '../pages/answer.ts'
import { hostFrame } from '../pages/frame.ts'
import { totalDiskUse } from '../records/disk-use.ts'
import { ownFolders } from './folders.ts'
import { imagesOf, type KeptImage, listImages, pruneImages, whyKept } from './pruning.ts'

const path = '/admin/disk'
/** Docker keeps at most two files of 10 MiB of the output of each instance. */
const logBytesEach = 20 * 1024 ** 2

const imageSchema = z.object({
  id: z.string(),
  program: z.enum(['runtime', 'control-plane']),
  tags: z.array(z.string()),
  bytes: z.int().meta({ description: 'With the layers that it shares with others' }),
  created_at: z.iso.datetime(),
  needed_by: z.array(z.string()).meta({ description: 'Why it stays; empty for one that nothing needs' }),
})

const diskSchema = z.object({
  free_bytes: z.int(),
  total_bytes: z.int(),
  volumes_bytes: z.int().meta({ description: 'What all volumes take, as they were last measured' }),
  logs_bytes_at_most: z.int().meta({ description: 'What the output of all containers may take' }),
  images: z.array(imageSchema),
  folders: z.array(z.object({ name: z.string(), what: z.string(), bytes: z.int().nullable() })),
})

const prunedSchema = z.object({
  dry_run: z.boolean(),
  removed: z.array(imageSchema),
  kept: z.array(z.object({ id: z.string(), reason: z.string() })),
})

/** What takes the host's disk, and the removal of images that nothing needs. */
export function pruningRoutes(parts: ProvisionerRoutes): Route[] {
  const { fleet, admin, log } = parts
  const ask = async <T,>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      throw notPossibleNow(`${error.message}. Nothing was changed.`)
    }
  }
  return [
    route({
      method: 'get',
      path,
      summary: 'What takes the host’s disk: volumes, images of Longhouse, logs, folders of the control plane',
      guard: admin,
      role: 'read',
      answers: { 200: { description: 'The sizes', schema: diskSchema } },
      handle: async c => {
        const images = await ask(listImages(fleet))
        const { bsize, blocks, bavail } = await statfs(fleet.site.dataRoot)
        const disk = {
          freeBytes: bavail * bsize,
          totalBytes: blocks * bsize,
          volumesBytes: totalDiskUse(fleet.db),
          logsBytes: (await ask(fleet.driver.existing(fleet.site.dataRoot))).length * logBytesEach,
        }
        const folders = await ownFolders(fleet.site.dataRoot)
        if (wantsPage(c)) {
          const shown = images.map(each => ({ ...each, why: whyKept(each) }))
          const page = <DiskPage {...disk} images={shown} folders={folders} now={fleet.clock.now()} />
          return c.render(page, hostFrame(parts, 'Disk'))
        }
        return c.json({
          ...{ free_bytes: disk.freeBytes, total_bytes: disk.totalBytes, volumes_bytes: disk.volumesBytes },
          logs_bytes_at_most: disk.logsBytes,
          images: images.map(wire),
          folders,
        })
      },
    }),
    route({
      method: 'post',
      path: `${path}/prune`,
      summary: 'Remove images of the runtime that nothing needs: no container, no instance, no way back',
      guard: admin,
      role: 'own',
      body: z.object({
        images: z
          .preprocess(
            value => (typeof value === 'string' ? [value] : value),
            z.array(z.string().max(100)).max(500),
          )
          .optional()
          .meta({
            description: 'Only these, by id or its first 12 digits; all that nothing needs when left out',
          }),
        dry_run: truth.optional().meta({ description: 'Only say what would be removed' }),
      }),
      answers: {
        200: { description: 'What was removed, or would be', schema: prunedSchema },
        303: { description: 'For a browser: back to the page' },
      },
      handle: async (c, { body: { images = null, dry_run: dryRun = false } }) => {
        const chosen = images && (await ask(imagesOf(fleet, images)))
        if (chosen && chosen.unknown.length > 0) {
          const message = `must be ids of images that GET ${path} lists, or their first 12 digits; unknown: ${chosen.unknown.slice(0, 10).join(', ')}`
          throw invalidFields([{ path: 'images', message }])
        }
        const pruned = await ask(pruneImages(fleet, { ids: chosen?.found ?? null, dryRun }))
        const removed = pruned.filter(({ why }) => why === '').map(({ image }) => image)
        const names = removed.map(({ id, tags }) => tags.join(' ') || id.slice(0, 19)).join(', ')
        c.set('about', dryRun || removed.length === 0 ? null : names)
        if (!dryRun && removed.length > 0)
          log.info({ images: names }, 'images were removed that nothing needs')
        if (wantsPage(c)) return c.redirect(path, 303)
        const kept = pruned
          .filter(({ why }) => why !== '')
          .map(({ image, why }) => ({ id: image.id, reason: why }))
        return c.json({ dry_run: dryRun, removed: removed.map(wire), kept })
      },
    }),
  ]
}

const wire = ({ id, program, tags, bytes, createdAt, neededBy }: KeptImage) => ({
  ...{ id, program, tags: [...tags], bytes, created_at: timestamp(createdAt), needed_by: [...neededBy] },
})
