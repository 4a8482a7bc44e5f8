import { z } from 'zod'
import { wantsFragment } from '../../src/http/negotiate.ts'
import { diskFull, invalidFields, Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { isDiskFull } from '../../src/storage/disk.ts'
import type { ErrorWithExcerpt } from '../../views/instance/manifest-panel.tsx'
import { fileHref, SavedNotice } from '../../views/instance/repo/editor-page.tsx'
import { FilesPage } from '../../views/instance/repo/files-page.tsx'
import type { ManifestError } from '../manifest/manifest-error.ts'
import { fileChanged, type RepoFile } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import { excerptOf } from '../web/source-excerpt.ts'
import { within } from '../web/within.ts'
import { findText, savedProps, showEditor, showRaw } from './editor-view.tsx'
import { bodyLimitBytes, contentField, fileParams, messageField } from './file-routes.ts'
import type { FilesWeb } from './files-web.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }

/** A line or a column, from 1. */
export const place = z
  .string()
  .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1')
  .transform(Number)

/** Pages of the repo's files. Every button submits a form, so all of it works without JavaScript. */
export function editorRoutes(web: FilesWeb): Route[] {
  return [listFolder(web), openFile(web), changeFile(web)]
}

const listFolder = (web: FilesWeb) =>
  route({
    method: 'get',
    path: '/repo/files',
    summary: 'The files of a folder of the jobs repo',
    guard: web.access.signedIn,
    pageOnly: true,
    query: z.object({
      folder: z.string().default(''),
      gone: z.string().optional(),
      uploaded: z.string().optional(),
      new: z.string().trim().optional(),
    }),
    answers: page,
    handle: (c, { query }) => {
      if (query.new) {
        // Refuses an invalid path before a person writes a file for it.
        web.repo.files.accept(query.new)
        return c.redirect(fileHref(query.new), 303)
      }
      const content = (
        <FilesPage
          now={web.clock.now()}
          folder={query.folder}
          {...web.repo.folder(query.folder)}
          gone={query.gone ?? null}
          uploaded={query.uploaded ?? null}
          manifest={withExcerpts(web.repoFolder, web.jobs.manifest.state())}
        />
      )
      return show(c, content, { title: query.folder || 'Files', current: '/repo' })
    },
  })

const openFile = (web: FilesWeb) =>
  route({
    method: 'get',
    path: '/repo/files/{path...}',
    summary: 'One file in the editor; a new one opens empty, and one that is not text is described',
    guard: web.access.signedIn,
    pageOnly: true,
    params: fileParams,
    query: z.object({
      saved: z.string().optional(),
      line: place.optional(),
      column: place.optional(),
    }),
    answers: page,
    handle: (c, { params: { path }, query }) => {
      if (query.saved !== undefined && wantsFragment(c))
        return c.html(<SavedNotice {...savedProps(web, path)} />)
      const file = textOrNot(web, path)
      if (file === 'no text') return showRaw(c, web, path)
      return showEditor(c, web, {
        path,
        content: file?.content ?? '',
        hash: file?.hash ?? null,
        saved: file !== null && query.saved !== undefined ? savedProps(web, path) : null,
        at: query.line === undefined ? null : { line: query.line, column: query.column ?? null },
      })
    },
  })

const changeFile = (web: FilesWeb) =>
  route({
    method: 'post',
    path: '/repo/files/{path...}',
    summary: 'Change a file',
    guard: web.access.signedIn,
    pageOnly: true,
    params: fileParams,
    body: z.object({
      action: z.enum(['save', 'check', 'rename', 'delete'], 'must be save, check, rename or delete'),
      content: contentField.default(''),
      hash: z.string().default(''),
      message: messageField.default(''),
      to: z.string().trim().default(''),
    }),
    limitBytes: bodyLimitBytes,
    answers: { 200: page[200], 303: { description: 'Done' } },
    onInvalid: (c, errors, fields) => {
      const path = c.req.param('path') ?? ''
      const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '')
      if (text('content') === '') throw invalidFields(errors)
      const current = findText(web, path)
      c.status(422)
      return showEditor(c, web, {
        path,
        content: withLineEnds(text('content'), current),
        hash: text('hash') || null,
        message: text('message'),
        unsaved: true,
        messageError: errors.find(error => error.path === 'message')?.message,
        problem: invalidFields(errors),
      })
    },
    handle: async (c, { params: { path }, body }) => {
      const { action, to } = body
      c.set('about', action === 'check' ? null : `${action} ${path}${action === 'rename' ? ` to ${to}` : ''}`)
      const draft: Draft = { ...body, path, hash: body.hash === '' ? null : body.hash }
      switch (action) {
        case 'rename':
          await edit(c, web, draft.message, () => web.repo.files.rename(path, to, draft.hash ?? undefined))
          return c.redirect(`${fileHref(to)}?saved`, 303)
        case 'delete':
          await edit(c, web, draft.message, () => web.repo.files.remove(path, draft.hash ?? undefined), {
            frees: true,
          })
          return c.redirect(`/repo/files?gone=${encodeURIComponent(path)}`, 303)
        case 'check':
        case 'save':
          return saveOrCheck(c, web, action, draft)
      }
    },
  })

/** A file to save: `hash` is that of the content the change was made from, null for a new file. */
interface Draft {
  path: string
  content: string
  hash: string | null
  message: string
}

/** Saves the draft, or only checks it. A draft that cannot be saved is shown in the editor again. */
async function saveOrCheck(
  c: AppContext,
  web: FilesWeb,
  action: 'save' | 'check',
  { path, hash, message, ...typed }: Draft,
) {
  const current = findText(web, path)
  const content = withLineEnds(typed.content, current)
  const draft = { path, content, hash, message, unsaved: content !== (current?.content ?? '') }
  try {
    if (action === 'check') {
      const { errors, ...result } = await web.jobs.edits.check(path, content)
      return showEditor(c, web, {
        ...draft,
        check: { ...result, errors: errors.map(withExcerpt(path, content)) },
      })
    }
    await edit(c, web, message, () => web.repo.files.write(path, content, hash))
  } catch (error) {
    const problem = asProblem(error)
    c.status(problem.status as 409)
    if (problem.status !== fileChanged.status) return showEditor(c, web, { ...draft, problem })
    return showEditor(c, web, {
      ...draft,
      hash: current?.hash ?? null,
      other: { content: current?.content ?? null },
    })
  }
  return c.redirect(`${fileHref(path)}?saved`, 303)
}

/** Makes a change and waits for the load that follows, as long as a page may take. */
async function edit(
  c: AppContext,
  { jobs, address, patience }: FilesWeb,
  message: string,
  change: () => void,
  { frees = false } = {},
) {
  const saving = jobs.edits.edit({ message, by: authorOf(c, address), frees }, change)
  const state = await within(patience.pageMs, saving)
  if (state || jobs.manifest.state().waitingFor === 'packages') return
  await within(patience.busyPageMs, saving)
}

function textOrNot(web: FilesWeb, path: string): RepoFile | null | 'no text' {
  try {
    return findText(web, path)
  } catch (error) {
    if (error instanceof Problem && (error.status === 413 || error.status === 415)) return 'no text'
    throw error
  }
}

function withExcerpt(path: string, content: string) {
  return (error: ManifestError): ErrorWithExcerpt => ({
    ...error,
    excerpt: error.file === path ? excerptOf(content, error.line) : null,
  })
}

/** Returns an error that a person can fix as a problem; rethrows any other. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!isDiskFull(error)) throw error
  return diskFull('Nothing was saved. Make room on the disk, and try again.', { cause: error })
}

/** A form sends every line end as CRLF, whatever the file uses. */
function withLineEnds(content: string, current: RepoFile | null): string {
  const crlf = current?.content.includes('\r\n')
  return crlf ? content : content.replaceAll('\r\n', '\n')
}
