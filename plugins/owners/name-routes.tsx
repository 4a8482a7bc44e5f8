import { z } from 'zod'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { Problem } from '../../src/http/problem.ts'
import { type AppContext, type FieldErrors, type Route, route } from '../../src/http/route.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { ChooseNamePage, NameCheck } from '../../views/owner/choose-name-page.tsx'
import { NoRoomPage } from '../../views/owner/instance-limit.tsx'
import { PasswordPage } from '../../views/owner/password-page.tsx'
import type { OwnedInstance, OwnedInstances } from '../provisioner/contract.ts'
import { endings, type OwnerParts, ownInstances } from './parts.ts'
import { suggestName } from './suggestion.ts'
import { wireOwnedInstance, withPassword } from './wire.ts'

const name = z.string('must be a subdomain such as "acme"').trim().toLowerCase().max(200)

/** Choosing a name, and creating an instance with it. */
export function nameRoutes(parts: OwnerParts): Route[] {
  return [chooseName(parts), checkName(parts), createInstance(parts)]
}

const chooseName = (parts: OwnerParts) =>
  route({
    method: 'get',
    path: '/new',
    summary:
      'The form for a new instance with a suggested name, or the reason why the account cannot have one',
    guard: parts.auth.account,
    pageOnly: true,
    answers: { 200: { description: 'The page' } },
    handle: c => {
      const own = ownInstances(parts, c)
      return taking(own).length < own.limit().most ? form(parts, c, undefined, []) : noRoom(parts, c)
    },
  })

const checkName = (parts: OwnerParts) =>
  route({
    method: 'get',
    path: '/names',
    summary: 'Whether a name is available, and why not',
    guard: parts.auth.account,
    query: z.object({ subdomain: name }),
    answers: {
      200: {
        description: 'The name’s availability',
        schema: z.object({
          subdomain: z.string(),
          available: z.boolean(),
          reason: z.string().nullable(),
        }),
      },
    },
    handle: async (c, { query }) => {
      const { subdomain } = query
      const reason = await ownInstances(parts, c).nameFault(subdomain)
      if (wantsFragment(c)) {
        return c.html(<NameCheck name={subdomain} domain={parts.site.domain} reason={reason} />)
      }
      if (wantsPage(c)) return c.redirect('/new', 303)
      return c.json({ subdomain, available: reason === null, reason })
    },
  })

const createInstance = (parts: OwnerParts) =>
  route({
    method: 'post',
    path: '/instances',
    summary: 'Create an instance with this name, or restore your removed one with its data',
    guard: parts.auth.account,
    body: z.object({ subdomain: name }),
    answers: {
      202: {
        description: 'The work has started. The password is shown only in this answer',
        schema: withPassword,
      },
    },
    onInvalid: (c, errors) => form(parts, c, '', errors, 422),
    handle: async (c, { body }) => {
      const own = ownInstances(parts, c)
      const { subdomain } = body
      try {
        const { password } = await own.create(subdomain)
        c.status(202)
        c.header('Location', `/instances/${subdomain}`)
        const instance = own.find(subdomain)
        if (!wantsPage(c)) return c.json({ ...wireOwnedInstance(instance), password }, 202)
        const props = { instance, password, now: parts.clock.now() }
        const page = <PasswordPage {...props} {...endings(parts, c)} />
        return c.render(page, ownerFrame('/instances', subdomain))
      } catch (error) {
        if (!wantsPage(c) || !(error instanceof Problem) || ![409, 422].includes(error.status)) throw error
        if (error.code === 'instance-limit') {
          c.status(error.status as 409)
          return noRoom(parts, c)
        }
        return form(
          parts,
          c,
          subdomain,
          error.errors ?? [{ path: 'subdomain', message: error.detail }],
          error.status,
        )
      }
    },
  })

async function form(
  parts: OwnerParts,
  c: AppContext,
  chosen: string | undefined,
  errors: FieldErrors,
  status?: number,
) {
  if (status) c.status(status as 409)
  const own = ownInstances(parts, c)
  const suggestion = await suggestName(parts.auth.accountOf(c), own.nameFault)
  const error = errors.map(each => each.message).join('; ') || undefined
  const mine = own.list().find(each => each.subdomain === chosen)?.subdomain ?? null
  const page = (
    <ChooseNamePage domain={parts.site.domain} name={chosen ?? suggestion ?? ''} error={error} mine={mine} />
  )
  return c.render(page, { ...ownerFrame('/instances', 'New instance'), narrow: true })
}

function noRoom(parts: OwnerParts, c: AppContext) {
  const own = ownInstances(parts, c)
  const taken = taking(own)
  const page = <NoRoomPage limit={own.limit()} taken={taken.map(({ subdomain }) => subdomain)} />
  return c.render(page, { ...ownerFrame('/instances', 'New instance'), narrow: true })
}

/** The instances that count against the limit. */
function taking(own: OwnedInstances): OwnedInstance[] {
  return own.list().filter(({ desired, billed }) => desired !== 'deleted' && billed)
}
