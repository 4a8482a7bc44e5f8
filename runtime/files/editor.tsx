import { z } from 'zod'
import { wantsFragment } from '../../src/http/negotiate.ts'
import { diskFull, invalidFields, Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { isDiskFull } from '../../src/storage/disk.ts'
import {
  EditorPage,
  type EditorProps,
  fileHref,
  SavedNotice,
  type SavedProps,
} from '../../views/instance/repo/editor-page.tsx'
import { FilePage } from '../../views/instance/repo/file-page.tsx'
import { FilesPage } from '../../views/instance/repo/files-page.tsx'
import type { ManifestErrorView } from '../../views/instance/shapes.ts'
import type { ManifestError } from '../manifest/manifest-error.ts'
import { fileChanged, type RepoFile, unknownFile } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { manifestView } from '../web/manifest-view.ts'
import { show } from '../web/show.ts'
import { excerptOf } from '../web/source-excerpt.ts'
import { within } from '../web/within.ts'
import { bodyLimitBytes, contentField, fileParams, messageField } from './file-routes.ts'
import type { FilesWeb } from './files-web.ts'
import { isPicture, rawType } from './raw-answer.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }

const place = z
  .string()
  .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1')
  .transform(Number)

/** The repo's files as pages. Every button is one of a form, so that all of it works without JavaScript. */
export function editorRoutes(web: FilesWeb): Route[] {
  const { jobs, repo, clock, repoFolder, editorScript, patience } = web
  const { signedIn: guard } = web.access

  const render = (
    c: AppContext,
    props: Partial<EditorProps> & Pick<EditorProps, 'path' | 'content' | 'hash'>,
  ) =>
    show(
      c,
      <EditorPage
        now={clock.now()}
        script={editorScript}
        manifest={manifestView(repoFolder, jobs.manifest.state())}
        // That of a change that is being loaded goes into its commit, unless it does not load.
        keptMessage={jobs.edits.changing() ? '' : jobs.edits.waitingMessage()}
        {...props}
      />,
      { title: props.path, current: '/repo' },
    )
  const savedProps = (path: string): SavedProps => ({
    path,
    manifest: manifestView(repoFolder, jobs.manifest.state()),
    loading: jobs.edits.changing(),
    now: clock.now(),
  })
  const edit = async (c: AppContext, message: string, change: () => void) => {
    const saving = jobs.edits.edit({ message, by: authorOf(c, web.address) }, change)
    const state = await within(patience.pageMs, saving)
    if (state || jobs.manifest.state().waitingFor === 'packages') return
    await within(patience.busyPageMs, saving)
  }
  const found = (path: string): RepoFile | null => {
    try {
      return repo.files.read(path)
    } catch (error) {
      if (error instanceof Problem && error.code === unknownFile.code) return null
      throw error
    }
  }

  const textOrNot = (path: string): RepoFile | null | 'no text' => {
    try {
      return found(path)
    } catch (error) {
      if (error instanceof Problem && (error.status === 413 || error.status === 415)) return 'no text'
      throw error
    }
  }
  const showRaw = (c: AppContext, path: string) => {
    const file = repo.rawFiles.open(path)
    file.close()
    const { sizeBytes, modifiedAt } = file
    const content = (
      <FilePage
        {...{ path, sizeBytes, modifiedAt }}
        now={clock.now()}
        type={rawType(path)}
        picture={isPicture(path)}
      />
    )
    return show(c, content, { title: path, current: '/repo' })
  }

  return [
    route({
      method: 'get',
      path: '/repo/files',
      summary: 'The files of a folder of the jobs repo',
      guard,
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
          // Refuses what is no path before somebody writes a file for it.
          repo.files.accept(query.new)
          return c.redirect(fileHref(query.new), 303)
        }
        const content = (
          <FilesPage
            now={clock.now()}
            folder={query.folder}
            {...repo.folder(query.folder)}
            gone={query.gone ?? null}
            uploaded={query.uploaded ?? null}
            manifest={manifestView(repoFolder, jobs.manifest.state())}
          />
        )
        return show(c, content, { title: query.folder || 'Files', current: '/repo' })
      },
    }),

    route({
      method: 'get',
      path: '/repo/files/{path...}',
      summary:
        'One file in the editor; one that is not there yet is an empty one, and what is no text is told of',
      guard,
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
          return c.html(<SavedNotice {...savedProps(path)} />)
        const file = textOrNot(path)
        if (file === 'no text') return showRaw(c, path)
        return render(c, {
          path,
          content: file?.content ?? '',
          hash: file?.hash ?? null,
          saved: file !== null && query.saved !== undefined ? savedProps(path) : null,
          at: query.line === undefined ? null : { line: query.line, column: query.column ?? null },
        })
      },
    }),

    route({
      method: 'post',
      path: '/repo/files/{path...}',
      summary: 'Save, check, rename or delete a file',
      guard,
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
        const current = found(path)
        c.status(422)
        return render(c, {
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
        const { action, message, to } = body
        c.set(
          'about',
          action === 'check' ? null : `${action} ${path}${action === 'rename' ? ` to ${to}` : ''}`,
        )
        const { files } = repo
        const hash = body.hash === '' ? null : body.hash
        if (action === 'rename') {
          await edit(c, message, () => files.rename(path, to, hash ?? undefined))
          return c.redirect(`${fileHref(to)}?saved`, 303)
        }
        if (action === 'delete') {
          await edit(c, message, () => files.remove(path, hash ?? undefined))
          return c.redirect(`/repo/files?gone=${encodeURIComponent(path)}`, 303)
        }
        const current = found(path)
        const content = withLineEnds(body.content, current)
        const draft = { path, content, hash, message, unsaved: content !== (current?.content ?? '') }
        try {
          if (action === 'check') {
            const { errors, ...result } = await jobs.edits.check(path, content)
            return render(c, { ...draft, check: { ...result, errors: errors.map(asView(path, content)) } })
          }
          await edit(c, message, () => files.write(path, content, hash))
        } catch (error) {
          const problem = asProblem(error)
          c.status(problem.status as 409)
          if (problem.status !== fileChanged.status) return render(c, { ...draft, problem })
          return render(c, {
            ...draft,
            hash: current?.hash ?? null,
            other: { content: current?.content ?? null },
          })
        }
        return c.redirect(`${fileHref(path)}?saved`, 303)
      },
    }),
  ]

  function asView(path: string, content: string) {
    return (error: ManifestError): ManifestErrorView => ({
      ...error,
      excerpt: error.file === path ? excerptOf(content, error.line) : null,
    })
  }
}

/** What a person can do something about; anything else is thrown on. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!isDiskFull(error)) throw error
  return diskFull('Nothing was saved. Make room on the disk, and try again.', { cause: error })
}

/** A form sends every line end as CRLF, whatever the file has. */
function withLineEnds(content: string, current: RepoFile | null): string {
  const crlf = current?.content.includes('\r\n')
  return crlf ? content : content.replaceAll('\r\n', '\n')
}
