import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { readBytes } from '../../src/http/body.ts'
import { badRequest, invalidFields, unsupportedMedia } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { folderHref } from '../../views/instance/repo/files-page.tsx'
import { manifestJson, manifestShape } from '../jobs/contract.ts'
import { entryKinds, uploadLimitBytes } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { within } from '../web/within.ts'
import { fileParams, messageField } from './file-routes.ts'
import type { FilesWeb } from './files-web.ts'

/** A form is held in memory as a whole. */
const formLimitBytes = 16 * 1024 * 1024

const entryShape = z.object({
  path: z.string(),
  kind: z.enum(entryKinds),
  size_bytes: z.number(),
  modified_at: z.iso.datetime(),
})
const folderShape = z.object({
  entries: z.array(entryShape),
  more: z.boolean().meta({ description: 'True when the folder has more entries than are listed' }),
})

/** Folders of the jobs repo, and binary files that jobs write or people upload. */
export function rawFileRoutes(web: FilesWeb): Route[] {
  const { jobs, repo, patience } = web
  const { signedIn: guard } = web.access

  const folderJson = (path: string): z.input<typeof folderShape> => {
    const { entries, more } = repo.folder(path)
    return {
      entries: entries.map(entry => ({
        path: entry.path,
        kind: entry.kind,
        size_bytes: entry.sizeBytes,
        modified_at: timestamp(entry.modifiedAt),
      })),
      more,
    }
  }
  const upload = async (
    c: AppContext,
    path: string,
    body: AsyncIterable<Uint8Array>,
    { replace, message }: { replace: boolean; message: string },
  ) => {
    const received = await repo.rawFiles.receive(path, body)
    try {
      await c.get('askAgain')()
      const going = jobs.edits.edit({ message, by: authorOf(c, web.address) }, () =>
        received.place({ replace }),
      )
      return (await within(patience.apiMs, going)) ?? jobs.manifest.state()
    } finally {
      await received.discard()
    }
  }

  return [
    ...['', '/{path...}'].map(rest =>
      route({
        method: 'get',
        path: `/api/jobs/repo/folders${rest}`,
        summary: rest
          ? 'The entries of a folder of the jobs repo, folders first'
          : 'The entries at the top of the jobs repo, except .git and installed packages',
        guard,
        params: rest ? fileParams : z.object({ path: z.string().default('') }),
        answers: {
          200: { description: 'The entries of the folder', schema: folderShape },
          404: { description: 'No such folder' },
        },
        handle: (c, { params }) => c.json(folderJson(params.path)),
      }),
    ),

    route({
      method: 'post',
      path: '/api/jobs/repo/files/{path...}',
      summary: `Upload a file of any kind, of at most ${uploadLimitBytes / 1024 / 1024} MiB; the request body is the file`,
      guard,
      params: fileParams,
      query: z.object({
        replace: z
          .enum(['true', 'false'], 'must be true or false')
          .default('false')
          .meta({ description: 'Whether an existing file is replaced' }),
        message: messageField.default(''),
      }),
      rawBody: 'The content of the file',
      answers: {
        200: {
          description: 'Saved; `manifest` says whether the change is live',
          schema: z.object({ path: z.string(), manifest: manifestShape }),
        },
        409: { description: 'A file has this name already; nothing was changed' },
        413: { description: 'The file is too large; nothing was changed' },
      },
      handle: async (c, { params: { path }, query: { replace, message } }) => {
        repo.rawFiles.refuseLong(c.req.header('content-length'))
        const body = c.req.raw.body ?? new Blob([]).stream()
        const manifest = await upload(c, path, body, { replace: replace === 'true', message })
        return c.json({ path, manifest: manifestJson(manifest) })
      },
    }),

    route({
      method: 'post',
      path: '/repo/upload',
      summary: 'Upload a file',
      guard,
      pageOnly: true,
      rawBody: 'The form',
      answers: { 303: { description: 'To its folder' } },
      handle: async c => {
        const { folder, file, replace } = await uploadForm(c)
        const path = folder === '' ? file.name : `${folder}/${file.name}`
        c.set('about', path)
        await upload(c, path, file.stream(), { replace, message: '' })
        return c.redirect(folderHref(folder, { uploaded: path }), 303)
      },
    }),
  ]
}

async function uploadForm(c: AppContext): Promise<{ folder: string; file: File; replace: boolean }> {
  const type = c.req.header('content-type') ?? ''
  if (!type.toLowerCase().startsWith('multipart/form-data')) {
    throw unsupportedMedia(
      'Send the file as multipart/form-data. Over the API, send its bytes to the file’s path.',
    )
  }
  const bytes = await readBytes(c.req.raw, formLimitBytes)
  let form: FormData
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { 'Content-Type': type },
    }).formData()
  } catch (error) {
    throw badRequest('The form could not be read.', { cause: error })
  }
  const file = form.get('file')
  const folder = form.get('folder') ?? ''
  if (!(file instanceof File) || file.name === '') {
    throw invalidFields([{ path: 'file', message: 'choose a file' }])
  }
  if (typeof folder !== 'string') throw invalidFields([{ path: 'folder', message: 'must be a path' }])
  return {
    folder: folder.trim().replace(/\/+$/, ''),
    file,
    replace: form.get('replace') === 'true',
  }
}
