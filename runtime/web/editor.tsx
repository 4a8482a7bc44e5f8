import { z } from 'zod'
import { Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { EditorPage, type EditorProps, fileHref } from '../../views/runtime/editor-page.tsx'
import { FilesPage } from '../../views/runtime/files-page.tsx'
import type { ManifestErrorView } from '../../views/runtime/shapes.ts'
import type { ManifestError } from '../contract.ts'
import { fileChanged, type RepoFile, unknownFile } from '../repo/files.ts'
import type { WebContext } from './context.ts'
import { bodyLimitBytes, contentField, fileParams, messageField } from './files.ts'
import { manifestView } from './manifest-view.ts'
import { show } from './show.ts'
import { excerptOf } from './source-excerpt.ts'
import { within } from './within.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }

/** Longer than a load without installations takes; what takes longer is shown as going on. */
const longestLoadMs = 5000

/** The repo's files as pages. Every button is one of a form, so that all of it works without JavaScript. */
export function editorRoutes(web: WebContext): Route[] {
  const { engine, signedIn: guard, clock, repoFolder, editorScript } = web

  const render = (
    c: AppContext,
    props: Partial<EditorProps> & Pick<EditorProps, 'path' | 'content' | 'hash'>,
  ) =>
    show(
      c,
      <EditorPage
        now={clock.now()}
        script={editorScript}
        manifest={manifestView(repoFolder, engine().manifest())}
        {...props}
      />,
      { title: props.path, current: '/repo' },
    )
  const edit = (message: string, change: () => void) => within(longestLoadMs, engine().edit(message, change))
  const found = (path: string): RepoFile | null => {
    try {
      return engine().files.read(path)
    } catch (error) {
      if (error instanceof Problem && error.code === unknownFile.code) return null
      throw error
    }
  }

  return [
    route({
      method: 'get',
      path: '/repo/files',
      summary: 'The files of the jobs repo',
      guard,
      pageOnly: true,
      query: z.object({ gone: z.string().optional(), new: z.string().trim().optional() }),
      answers: page,
      handle: (c, { query }) => {
        if (query.new) {
          // Refuses what is no path before somebody writes a file for it.
          return c.redirect(fileHref(found(query.new)?.path ?? query.new), 303)
        }
        const { files, more } = engine().files.list()
        const content = (
          <FilesPage
            now={clock.now()}
            files={files.map(file => ({ ...file, href: fileHref(file.path) }))}
            more={more}
            gone={query.gone ?? null}
            manifest={manifestView(repoFolder, engine().manifest())}
          />
        )
        return show(c, content, { title: 'Files', current: '/repo' })
      },
    }),

    route({
      method: 'get',
      path: '/repo/files/{path...}',
      summary: 'One file in the editor; one that is not there yet is an empty one',
      guard,
      pageOnly: true,
      params: fileParams,
      query: z.object({ saved: z.string().optional() }),
      answers: page,
      handle: (c, { params: { path }, query }) => {
        const file = found(path)
        return render(c, {
          path,
          content: file?.content ?? '',
          hash: file?.hash ?? null,
          saved: file !== null && query.saved !== undefined,
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
      handle: async (c, { params: { path }, body }) => {
        const { action, message, to } = body
        c.set(
          'about',
          action === 'check' ? null : `${action} ${path}${action === 'rename' ? ` to ${to}` : ''}`,
        )
        const { files } = engine()
        const current = found(path)
        const hash = body.hash === '' ? null : body.hash
        if (action === 'rename') {
          await edit(message, () => files.rename(path, to, hash ?? undefined))
          return c.redirect(`${fileHref(to)}?saved`, 303)
        }
        if (action === 'delete') {
          await edit(message, () => files.remove(path, hash ?? undefined))
          return c.redirect(`/repo/files?gone=${encodeURIComponent(path)}`, 303)
        }
        const content = withLineEnds(body.content, current)
        const draft = { path, content, hash, message }
        if (action === 'check') {
          const { errors, ...result } = await engine().check(path, content)
          return render(c, { ...draft, check: { ...result, errors: errors.map(asView(path, content)) } })
        }
        try {
          await edit(message, () => files.write(path, content, hash))
        } catch (error) {
          if (!(error instanceof Problem && error.status === fileChanged.status)) throw error
          c.status(409)
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

/** A form sends every line end as CRLF, whatever the file has. */
function withLineEnds(content: string, current: RepoFile | null): string {
  const crlf = current?.content.includes('\r\n')
  return crlf ? content : content.replaceAll('\r\n', '\n')
}
