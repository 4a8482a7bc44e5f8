import { z } from 'zod'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { resetPassword } from '../commands/password.ts'
import { rollBack } from '../commands/roll-back.ts'
import { refuseOtherImage } from '../commands/upgrade-image.ts'
import { unknownOperation } from '../problems.ts'
import { getInstance, requireInstance } from '../records/instance.ts'
import { findOperation } from '../records/operation.ts'
import {
  answerOrReturn,
  answers,
  answerWith,
  named,
  operateWith,
  optionalImage,
  type ProvisionerRoutes,
  passwordAnswers,
} from './answer.ts'
import type { InstancePages } from './pages.tsx'
import { instanceSchema, operationSchema, wireInstance, wireOperation } from './wire.ts'

const nothing = z.object({})

export function instanceRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  const { fleet, admin } = parts
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}',
    summary: 'One instance with its last operation',
    guard: admin,
    role: 'read',
    params: named,
    answers: { 200: { description: 'The instance', schema: instanceSchema } },
    handle: (c, { params }) => {
      const instance = requireInstance(fleet.db, params.subdomain)
      if (wantsPage(c) || wantsFragment(c)) return pages.show(c, instance)
      return c.json(wireInstance(parts, instance))
    },
  })
}

/** An operation that needs nothing but the instance's name. */
export function operationRoute(
  parts: ProvisionerRoutes,
  kind: 'start' | 'stop' | 'restart',
  summary: string,
): Route {
  return route({
    method: 'post',
    path: `/admin/instances/{subdomain}/${kind}`,
    summary,
    guard: parts.admin,
    role: 'operate',
    params: named,
    body: nothing,
    mayWait: true,
    answers,
    handle: (c, { params }) => operateWith(parts)(kind)(c, params.subdomain),
  })
}

export function upgradeRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/upgrade',
    summary: 'Upgrade an instance to another image, or to the current default',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: z.object({
      image: optionalImage,
    }),
    answers,
    handle: async (c, { params: { subdomain }, body: { image = parts.defaultImage } }) => {
      requireInstance(parts.fleet.db, subdomain)
      await refuseOtherImage(parts.fleet, image, 'image')
      return await operateWith(parts)('upgrade')(c, subdomain, image)
    },
  })
}

export function rollbackRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/rollback',
    summary: 'Take an instance back to before its last upgrade, with the image and the data of then',
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: nothing,
    answers,
    handle: async (c, { params: { subdomain } }) =>
      await answerOrReturn(parts, c, await rollBack(parts.fleet, subdomain), `/admin/instances/${subdomain}`),
  })
}

export function resetPasswordRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  const { fleet, admin } = parts
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/reset-password',
    summary: 'Give an instance a new password. A running instance restarts, which ends every session',
    guard: admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: nothing,
    answers: passwordAnswers,
    handle: async (c, { params }) => {
      const { password, ...accepted } = await resetPassword(fleet, params.subdomain)
      if (!wantsPage(c)) return answerWith(parts)(c, accepted, 200, { password })
      parts.nudge()
      return pages.created(c, getInstance(fleet.db, accepted.instanceId), password)
    },
  })
}

export function operationDetailsRoute({ fleet, admin }: ProvisionerRoutes): Route {
  return route({
    method: 'get',
    path: '/admin/operations/{id}',
    summary: 'One operation with its steps',
    guard: admin,
    role: 'read',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'The operation', schema: operationSchema } },
    handle: (c, { params }) => {
      const found = findOperation(fleet.db, params.id)
      if (!found) throw unknownOperation(`No operation has the id "${params.id}".`)
      if (wantsPage(c))
        return c.redirect(`/admin/instances/${getInstance(fleet.db, found.instanceId).subdomain}`, 303)
      return c.json(wireOperation(found))
    },
  })
}
