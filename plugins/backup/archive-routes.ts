import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { badRequest } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import type { AuthService } from '../auth/contract.ts'
import type { InstanceSummary } from '../provisioner/contract.ts'
import { requestCopy, updateCopy } from './copies/copies.ts'
import { type BackupRoutes, requireInstance } from './routes.ts'
import { backupSchema, wireBackup } from './wire.ts'

/** An archive is written while the instance's other copies wait. */
const downloadWithinMs = 30 * 60_000
const uploadWithinMs = 4 * 3_600_000
const named = z.object({ subdomain: z.string() })

/** Instances as archives: what their owners take with them, and what the operator brings in. */
export function archiveRoutes(parts: BackupRoutes & { auth: AuthService }): Route[] {
  const { auth, provisioner } = parts
  const answers = { 200: { description: 'The archive', type: 'application/gzip' } }
  return [
    route({
      method: 'get',
      path: '/instances/{subdomain}/archive',
      summary: 'Download everything of an instance as one archive: jobs, history, runs, logs, state',
      guard: auth.account,
      params: named,
      answers,
      handle: (c, { params }) => {
        // Throws for what is not theirs.
        provisioner.owned(auth.accountOf(c)).find(params.subdomain)
        return download(parts, c, requireInstance(parts, params.subdomain))
      },
    }),
    route({
      method: 'get',
      path: '/admin/instances/{subdomain}/archive',
      summary: 'Download everything of an instance as one archive, for its owner',
      guard: auth.admin,
      role: 'own',
      params: named,
      answers,
      handle: (c, { params }) => download(parts, c, requireInstance(parts, params.subdomain)),
    }),
    uploadRoute(parts),
  ]
}

/** Sends the archive as it is written. A download that breaks off is a gzip file without its end. */
function download(
  { provisioner }: BackupRoutes,
  c: AppContext,
  { subdomain, volume }: InstanceSummary,
): Response {
  const output = new PassThrough()
  const body = output.pipe(createGzip({ level: 5 }))
  const over = new AbortController()
  body.once('close', () => over.abort())
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(downloadWithinMs)])
  provisioner
    .workOnFolder({ command: 'pack', folder: volume, options: { portable: true }, output, signal })
    .then(
      () => output.end(),
      (error: Error) => body.destroy(error),
    )
  return c.body(Readable.toWeb(body) as ReadableStream, 200, {
    'Content-Type': 'application/gzip',
    'Content-Disposition': `attachment; filename="${subdomain}.tar.gz"`,
    'Cache-Control': 'no-store',
  })
}

function uploadRoute(parts: BackupRoutes): Route {
  const { db, admin, store, now, prove } = parts
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/backups',
    summary:
      'Upload an archive as a copy of an instance, which can then be restored. It is proven to work before it counts',
    guard: admin,
    role: 'operate',
    params: named,
    rawBody: 'An archive, as `GET …/archive` answers it',
    answers: { 201: { description: 'The copy, which works', schema: backupSchema } },
    handle: async (c, { params }) => {
      const instance = requireInstance(parts, params.subdomain)
      const body = c.req.raw.body
      if (!body) throw badRequest('The body must be an archive, as GET …/archive answers it.')
      const opened = await store.ready()
      // For no operation, and never made by the maker: it has its own key, and is `kept` or `failed` at the end.
      const row = requestCopy(db, instance, 'upload', now(), `upload ${crypto.randomUUID()}`)
      updateCopy(db, row.id, { status: 'failed', error: 'the upload was interrupted' })
      const tags = {
        copy: row.id,
        instance: instance.id,
        name: instance.subdomain,
        reason: 'upload',
        image: '',
      }
      const signal = AbortSignal.timeout(uploadWithinMs)
      const write = (output: NodeJS.WritableStream) =>
        pipeline(Readable.fromWeb(body as never), createGunzip(), output, { end: false, signal })
      let kept: Awaited<ReturnType<typeof opened.put>>
      try {
        kept = await opened.put(tags, write, signal)
      } catch (error) {
        updateCopy(db, row.id, { error: (error as Error).message })
        throw badRequest(`The archive could not be read: ${(error as Error).message}. Nothing was changed.`)
      }
      const proven = await prove({ ...row, ...kept })
      if (proven.fault !== null) {
        updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: proven.fault })
        throw badRequest(`The archive does not work: ${proven.fault}. Nothing was changed.`)
      }
      return c.json(wireBackup(updateCopy(db, row.id, { ...kept, status: 'kept', error: null })), 201)
    },
  })
}
