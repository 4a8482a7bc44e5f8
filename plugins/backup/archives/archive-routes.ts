import { join } from 'node:path'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { flagField } from '../../../src/http/json-schema.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { badRequest } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import type { AuthService } from '../../auth/contract.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import { uploadsSince } from '../copies/copies.ts'
import type { CopyMaker } from '../copies/making.ts'
import { tooManyUploads } from '../problems.ts'
import type { OpenStore } from '../store/open-store.ts'
import { backupSchema, wireBackup } from '../wire.ts'
import { Downloads } from './downloads.ts'
import { Spool } from './spool.ts'
import { away, beginUpload, type TakingParts, takeArchive } from './taking.ts'
import { bodyOf, readUpload } from './upload-body.ts'

const named = z.object({ subdomain: z.string() })

interface ArchiveRoutes extends Omit<TakingParts, 'spool'> {
  auth: AuthService
  provisioner: ProvisionerService
  store: OpenStore
  maker: CopyMaker
  /** The largest archive that an owner may upload. */
  uploadBytes: number
  /** The folder of the control plane's own files. */
  control: string
}

type ArchiveParts = ArchiveRoutes & TakingParts

/** Instances as archives: what their owners take with them and bring back, and what the operator brings in. */
export function archiveRoutes(given: ArchiveRoutes): Route[] {
  const parts = { ...given, spool: new Spool(join(given.control, 'archives')) }
  const { auth, provisioner } = parts
  const downloads = new Downloads(parts)
  const download = async (c: AppContext, { subdomain }: { subdomain: string }) => {
    const archive = await downloads.open(provisioner.instance(subdomain))
    return c.body(Readable.toWeb(archive) as ReadableStream, 200, {
      'Content-Type': 'application/gzip',
      'Content-Disposition': `attachment; filename="${subdomain}.tar.gz"`,
      'Cache-Control': 'no-store',
    })
  }
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
        return download(c, params)
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
      handle: (c, { params }) => download(c, params),
    }),
    uploadRoute(parts),
    ownUploadRoute(parts),
  ]
}

function uploadRoute(parts: ArchiveParts): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/backups',
    summary:
      'Upload an archive as a backup of an instance, which can then be restored. It is proven to work before it counts',
    guard: parts.auth.admin,
    role: 'operate',
    params: named,
    rawBody: 'An archive, as `GET …/archive` answers it',
    answers: { 201: { description: 'The backup, which works', schema: backupSchema } },
    handle: async (c, { params }) => {
      const instance = parts.provisioner.instance(params.subdomain)
      const body = c.req.raw.body
      if (!body) throw badRequest('The body must be an archive, as GET …/archive answers it.')
      const archive = bodyOf(body)
      const store = await parts.store.ready().catch(error => {
        archive.destroy()
        throw error
      })
      const row = beginUpload(parts, instance)
      const upload = { row, instance, archive, store }
      return c.json(wireBackup(await takeArchive(parts, upload, { mayStill: c.get('askAgain') })), 201)
    },
  })
}

/** How many archives an owner may upload for one instance within a day: each is kept in the operator's store for a while. */
const uploadsADay = 5
const dayMs = 86_400_000
/** What an archive may unpack to for an instance without a limit of its own, as a multiple of what may be uploaded. */
const unpackedFactor = 10

function ownUploadRoute(parts: ArchiveParts): Route {
  const { auth, provisioner, db, now, uploadBytes } = parts
  return route({
    method: 'post',
    path: '/instances/{subdomain}/archive',
    summary:
      'Bring an archive back: it is checked and proven to work, the data that the instance has now are copied, and those of the archive take their place',
    guard: auth.account,
    params: named,
    query: z.object({ foreign: flagField() }),
    rawBody:
      'An archive, as `GET …/archive` answers it; or a form with it as the file `archive`. `foreign=true` takes one of another instance',
    answers: {
      202: { description: 'The restore has started', schema: z.object({ backup: z.string() }) },
      303: { description: 'For a browser: back to the page' },
    },
    handle: async (c, { params: { subdomain }, query }) => {
      const own = provisioner.owned(auth.accountOf(c))
      // Throws for what is not theirs.
      own.find(subdomain)
      const { archive, fields } = await readUpload(c.req.raw, ['foreign'])
      const refuse = (problem: Error): never => {
        archive.destroy()
        throw problem
      }
      const store = await parts.store.ready().catch(() => refuse(away()))
      const { id, desired, disk } = own.find(subdomain)
      if (desired === 'deleted')
        refuse(badRequest(`"${subdomain}" is removed; restore it first. Nothing was changed.`))
      // Nothing is awaited from here to the record: those that are sent at the same time count each.
      if (uploadsSince(db, id, now() - dayMs) >= uploadsADay)
        refuse(
          tooManyUploads(
            `${uploadsADay} archives were uploaded for "${subdomain}" within a day. Nothing was changed. Try again tomorrow.`,
          ),
        )
      const instance = parts.provisioner.instance(subdomain)
      const row = beginUpload(parts, instance)
      const upload = { row, instance, archive, store }
      await takeArchive(parts, upload, {
        mayStill: c.get('askAgain'),
        rules: {
          uploadBytes,
          unpackedBytes: disk.limitBytes ?? uploadBytes * unpackedFactor,
          isForeignToo: query.foreign || fields.has('foreign'),
        },
      })
      await c.get('askAgain')()
      // It may have been transferred meanwhile.
      provisioner.owned(auth.accountOf(c)).restoreCopy(subdomain, row.id)
      if (wantsPage(c)) return c.redirect(`/instances/${subdomain}`, 303)
      return c.json({ backup: row.id }, 202)
    },
  })
}
