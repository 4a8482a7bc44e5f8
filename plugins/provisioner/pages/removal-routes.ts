import { z } from 'zod'
import { flagField } from '../../../src/http/json-schema.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { request } from '../commands/commands.ts'
import { startOver } from '../commands/new-volume.ts'
import { purgeAnyway } from '../commands/purge.ts'
import { restore } from '../commands/restore.ts'
import { restoreCopy, restoreInto } from '../commands/restore-copy.ts'
import { transfer } from '../commands/transfer.ts'
import { getInstance, requireInstance } from '../records/instance.ts'
import { subdomainSchema } from '../records/subdomain.ts'
import {
  answerOrReturn,
  answers,
  answerWith,
  named,
  operateWith,
  ownerEmail,
  type ProvisionerRoutes,
  passwordAnswers,
  truth,
} from './answer.ts'
import type { InstancePages } from './pages.tsx'
import { instanceSchema } from './wire.ts'

const optionalText = z
  .preprocess(value => (value === '' ? undefined : value), z.string().optional())
  .optional()

const nothing = z.object({})

/** How an instance goes, comes back, and passes on to another owner. */
export function removalRoutes(parts: ProvisionerRoutes, pages: InstancePages): Route[] {
  return [
    removeRoute(parts),
    deprovisionRoute(parts),
    purgeRoute(parts, pages),
    restoreRoute(parts, pages),
    startOverRoute(parts),
    transferRoute(parts, pages),
  ]
}

interface Purge {
  anyway: boolean
  withoutCopy: boolean
}

async function purge(
  parts: ProvisionerRoutes,
  c: AppContext,
  subdomain: string,
  { anyway, withoutCopy }: Purge,
) {
  const { fleet } = parts
  const accepted = anyway
    ? await purgeAnyway(fleet, subdomain, { withoutCopy })
    : request(fleet, subdomain, 'purge', { withoutCopy })
  return await answerOrReturn(parts, c, accepted, `/admin/instances?purged=${subdomain}`)
}

function removeRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'delete',
    path: '/admin/instances/{subdomain}',
    summary:
      'Deprovision an instance: remove its container, keep its volume. `purge=true` also deletes the volume for good; `anyway=true` even deletes what is in its place without being marked as this instance’s, and `without_copy=true` deletes the data even if no backup of them can be made',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    query: z.object({ purge: flagField(), anyway: flagField(), without_copy: flagField() }),
    answers,
    handle: (c, { params, query }) => {
      if (query.purge) {
        parts.requireRole(c, 'own')
        parts.requireFresh(c)
      }
      const { anyway, without_copy: withoutCopy } = query
      if (query.purge) return purge(parts, c, params.subdomain, { anyway, withoutCopy })
      for (const path of ['anyway', 'without_copy'] as const)
        if (query[path]) throw invalidFields([{ path, message: 'goes with purge=true only' }])
      return operateWith(parts)('deprovision')(c, params.subdomain)
    },
  })
}

function deprovisionRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/deprovision',
    summary: 'Same as DELETE, for forms',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: nothing,
    answers,
    handle: (c, { params }) => operateWith(parts)('deprovision')(c, params.subdomain),
  })
}

function purgeRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/purge',
    summary: 'Same as DELETE with purge=true, for forms; the name must be typed',
    guard: parts.admin,
    role: 'own',
    fresh: true,
    mayWait: true,
    params: named,
    body: z.object({
      confirm: z.string('must be the subdomain, typed out'),
      anyway: truth.optional().meta({
        description: 'Delete what is in the place of the volume, even if it is not marked as this instance’s',
      }),
      without_copy: truth.optional().meta({
        description:
          'Delete the data even if no backup of them can be made: what is lost is in the audit log and on the instance’s page',
      }),
    }),
    answers,
    handle: (c, { params, body }) => {
      const instance = requireInstance(parts.fleet.db, params.subdomain)
      if (body.confirm.trim() !== params.subdomain) {
        const message = `must be "${params.subdomain}", typed out; nothing was deleted`
        if (wantsPage(c)) return pages.show(c, instance, message)
        throw invalidFields([{ path: 'confirm', message }])
      }
      const { anyway = false, without_copy: withoutCopy = false } = body
      return purge(parts, c, params.subdomain, { anyway, withoutCopy })
    },
  })
}

function restoreRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/restore',
    summary:
      'Restore a backup in place, or into a new name. Without `backup`: undo a removal, with the same volume and password; an instance that is suspended, or had been stopped, comes back stopped',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: z
      .object({
        backup: optionalText.meta({ description: 'The id of a backup of this instance' }),
        into: z
          .preprocess(value => (value === '' ? undefined : value), subdomainSchema.optional())
          .optional()
          .meta({
            description:
              'Restore into a new instance with this subdomain. Its password is in the answer, this one time. The backup may be one of a deleted instance that had the name',
          }),
        owner_email: z
          .preprocess(value => (value === '' ? undefined : value), ownerEmail.optional())
          .optional()
          .meta({
            description:
              'With `into`: the owner of the new instance; the last owner of the copied one when left out. Another one needs the role own',
          }),
      })
      .refine(({ owner_email, into }) => owner_email === undefined || into !== undefined, {
        path: ['owner_email'],
        message: 'goes with into only; transfer gives an instance to another owner',
      })
      .refine(({ backup, into }) => into === undefined || backup !== undefined, {
        path: ['backup'],
        message: 'must be the id of the backup to restore',
      }),
    answers: {
      ...answers,
      200: { ...answers[200], schema: instanceSchema.extend({ password: z.string().optional() }) },
      202: { ...answers[202], schema: instanceSchema.extend({ password: z.string().optional() }) },
    },
    handle: async (c, { params, body: { backup, into, owner_email } }) => {
      if (backup !== undefined && into !== undefined) {
        // That is an instance beside those that a token may be for.
        parts.requireRole(c, 'operate', { beyondInstances: true })
        if (owner_email !== undefined) parts.requireRole(c, 'own')
        const { password, ...accepted } = await restoreInto(parts.fleet, {
          ...{ subdomain: params.subdomain, copyId: backup, into, ownerEmail: owner_email },
        })
        if (!wantsPage(c)) return answerWith(parts)(c, accepted, 200, { password })
        parts.nudge()
        return pages.created(c, getInstance(parts.fleet.db, accepted.instanceId), password)
      }
      const accepted =
        backup === undefined
          ? restore(parts.fleet, params.subdomain)
          : restoreCopy(parts.fleet, params.subdomain, backup)
      if (!wantsPage(c)) return answerWith(parts)(c, accepted, 200)
      parts.nudge()
      return c.redirect(`/admin/instances/${params.subdomain}`, 303)
    },
  })
}

function startOverRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/begin-anew',
    summary:
      'Start an instance whose volume is missing, with a new, empty one; with `adopt`, with the one found in its place',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: z.object({ adopt: truth.optional() }),
    answers,
    handle: async (c, { params, body }) => {
      const accepted = await startOver(parts.fleet, params.subdomain, { adopt: body.adopt ?? false })
      if (!wantsPage(c)) return answerWith(parts)(c, accepted, 200)
      parts.nudge()
      return c.redirect(`/admin/instances/${params.subdomain}`, 303)
    },
  })
}

function transferRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/transfer',
    summary:
      'Transfer an instance to another owner, with all its data and a new password. Also works for a removed instance',
    guard: parts.admin,
    role: 'own',
    mayWait: true,
    params: named,
    body: z.object({ owner_email: ownerEmail }),
    answers: passwordAnswers,
    handle: async (c, { params, body }) => {
      const { password, ...accepted } = await transfer(parts.fleet, params.subdomain, body.owner_email)
      if (!wantsPage(c)) return answerWith(parts)(c, accepted, 200, { password })
      parts.nudge()
      return pages.created(c, getInstance(parts.fleet.db, accepted.instanceId), password)
    },
  })
}
