import { z } from 'zod'
import { numberField, optionalNumberField } from '../../src/http/json-schema.ts'
import { searchField } from '../../src/http/list-window.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import type { NewInstanceValues } from '../../views/operator/new-instance.tsx'
import { provision } from './commands/commands.ts'
import { resetPassword } from './commands/password.ts'
import { restartOlder } from './commands/settings-restart.ts'
import {
  answers,
  answerWith,
  named,
  operateWith,
  ownerEmail,
  type ProvisionerRoutes,
  passwordAnswers,
  truth,
} from './pages/answer.ts'
import { listWindowOf } from './pages/instance-list.ts'
import { instancePages, instancesListed } from './pages/pages.tsx'
import { paymentRoutes } from './pages/payment-routes.ts'
import { removalRoutes } from './pages/removal-routes.ts'
import {
  instanceSchema,
  operationSchema,
  orphansSchema,
  wireInstance,
  wireOperation,
  wireOrphans,
} from './pages/wire.ts'
import { subdomainTaken, unknownOperation } from './problems.ts'
import { getInstance, requireInstance } from './records/instance.ts'
import { findOperation } from './records/operation.ts'
import { settingsDigest } from './records/settings-digest.ts'
import { subdomainSchema } from './records/subdomain.ts'

const nothing = z.object({})
const imageField = z
  .string()
  .trim()
  .max(255)
  .regex(/^[a-z0-9]+([._/:@-]+[A-Za-z0-9_]+)*$/, 'must be an image reference such as longhouse-runtime:1.2.0')

const provisionBody = z.object({
  subdomain: subdomainSchema,
  owner_email: ownerEmail,
  image: z.preprocess(value => (value === '' ? undefined : value), imageField.optional()).optional(),
  adopt: truth.optional().meta({ description: 'Take over a lived-in volume that no record knows' }),
})

/** Instances in one answer for a script. */
const mostListed = 1000

const listQuery = z.object({
  limit: optionalNumberField(1, mostListed),
  offset: numberField(0, 999_999_999, 0),
  search: searchField,
  outdated: truth.optional().meta({ description: 'Only those that run with older settings' }),
})

function nextAddress(
  { search, outdated, limit }: { search: string; outdated: boolean; limit: number },
  offset: number,
): string {
  const query = new URLSearchParams({
    ...(search && { search }),
    ...(outdated && { outdated: 'true' }),
    limit: String(limit),
    offset: String(offset),
  })
  return `/admin/instances?${query}`
}

/** The admin's side of the provisioner, for scripts and for people. */
export function provisionerRoutes(parts: ProvisionerRoutes): Route[] {
  const { fleet, admin } = parts
  const pages = instancePages(parts)

  const answer = answerWith(parts)
  const operate = operateWith(parts)

  const operation = (kind: 'start' | 'stop' | 'restart', summary: string) =>
    route({
      method: 'post',
      path: `/admin/instances/{subdomain}/${kind}`,
      summary,
      guard: admin,
      params: named,
      body: nothing,
      mayWait: true,
      answers,
      handle: (c, { params }) => operate(kind)(c, params.subdomain),
    })

  return [
    route({
      method: 'get',
      path: '/admin/instances',
      summary: `Instances by name, ${mostListed} at a time. Link leads to those that follow`,
      guard: admin,
      query: listQuery,
      answers: {
        200: {
          description: 'The instances',
          headers: { Link: 'The `next` part of the list, as RFC 8288 says; none at the end' },
          schema: z.object({
            instances: z.array(instanceSchema),
            total: z.int().meta({ description: 'How many there are, on all pages' }),
            outdated: z.int().meta({ description: 'How many of all instances run with older settings' }),
          }),
        },
      },
      handle: (c, { query }) => {
        const isPage = wantsPage(c) || wantsFragment(c)
        const { search, offset, outdated = false, limit = isPage ? instancesListed : mostListed } = query
        const list = { search, outdated, offset, limit: isPage ? Math.min(limit, instancesListed) : limit }
        const digest = settingsDigest(fleet)
        const window = listWindowOf(fleet.db, list, digest)
        if (isPage) return pages.list(c, window, list)
        const next = offset + window.rows.length
        if (next < window.found && window.rows.length > 0)
          c.header('Link', `<${nextAddress(list, next)}>; rel="next"`)
        return c.json({
          instances: window.rows.map(({ instance, operation }) =>
            wireInstance(parts, instance, { operation, digest }),
          ),
          total: window.found,
          outdated: window.outdated,
        })
      },
    }),
    route({
      method: 'post',
      path: '/admin/instances/restart-outdated',
      summary: 'Restart every instance that runs with older settings of the control plane, a few at a time',
      guard: admin,
      body: nothing,
      answers: {
        202: {
          description: 'Those that restart; an instance that is being worked on is not among them',
          schema: z.object({
            instances: z.array(z.object({ subdomain: z.string(), operation_id: z.string().nullable() })),
          }),
        },
        303: { description: 'For a browser: back to the list' },
      },
      handle: c => {
        const restarted = restartOlder(fleet)
        parts.nudge()
        if (wantsPage(c)) return c.redirect('/admin/instances', 303)
        const wire = restarted.map(({ subdomain, operationId }) => ({ subdomain, operation_id: operationId }))
        return c.json({ instances: wire }, 202)
      },
    }),
    route({
      method: 'post',
      path: '/admin/instances',
      summary: 'Provision an instance',
      guard: admin,
      mayWait: true,
      body: provisionBody,
      answers: {
        201: {
          description: 'It was waited for, and is done',
          schema: instanceSchema.extend({ password: z.string() }),
        },
        202: {
          description: 'Work has begun. The password is told here, and never again',
          schema: instanceSchema.extend({ password: z.string() }),
        },
      },
      onInvalid: (c, errors, fields) => pages.create(c, fields as NewInstanceValues, errors),
      handle: async (c, { body }) => {
        const { subdomain, owner_email, image = parts.defaultImage, adopt = false } = body
        const accepted = await formErrors(c, body, () =>
          provision(fleet, { subdomain, ownerEmail: owner_email, image, adopt, account: null }),
        )
        if (accepted instanceof Response) return accepted
        if (!wantsPage(c)) return answer(c, accepted, 201, { password: accepted.password })
        parts.nudge()
        return pages.created(c, getInstance(fleet.db, accepted.instanceId), accepted.password)
      },
    }),
    route({
      method: 'get',
      path: '/admin/new',
      summary: 'The form for a new instance',
      guard: admin,
      pageOnly: true,
      answers: { 200: { description: 'The page' } },
      handle: c => pages.create(c, {}, []),
    }),
    route({
      method: 'get',
      path: '/admin/instances/{subdomain}',
      summary: 'One instance with its last operation',
      guard: admin,
      params: named,
      answers: { 200: { description: 'The instance', schema: instanceSchema } },
      handle: (c, { params }) => {
        const instance = requireInstance(fleet.db, params.subdomain)
        if (wantsPage(c) || wantsFragment(c)) return pages.show(c, instance)
        return c.json(wireInstance(parts, instance))
      },
    }),
    route({
      method: 'get',
      path: '/admin/orphans',
      summary: 'Containers on the engine that do not fit the records, as the last comparison found them',
      guard: admin,
      answers: { 200: { description: 'The containers', schema: orphansSchema } },
      handle: c => c.json(wireOrphans(parts.orphans.found)),
    }),
    operation('start', 'Start it'),
    operation('stop', 'Stop it; its data stays'),
    operation('restart', 'Stop it and start it again'),
    route({
      method: 'post',
      path: '/admin/instances/{subdomain}/upgrade',
      summary: 'Replace its container by one of another image, or of today’s default',
      guard: admin,
      mayWait: true,
      params: named,
      body: z.object({
        image: z.preprocess(value => (value === '' ? undefined : value), imageField.optional()).optional(),
      }),
      answers,
      handle: (c, { params, body }) =>
        operate('upgrade')(c, params.subdomain, body.image ?? parts.defaultImage),
    }),
    route({
      method: 'post',
      path: '/admin/instances/{subdomain}/reset-password',
      summary: 'Give it another password, which ends the sessions of the old one; it restarts when it runs',
      guard: admin,
      mayWait: true,
      params: named,
      body: nothing,
      answers: passwordAnswers,
      handle: async (c, { params }) => {
        const { password, ...accepted } = await resetPassword(fleet, params.subdomain)
        if (!wantsPage(c)) return answer(c, accepted, 200, { password })
        parts.nudge()
        return pages.created(c, getInstance(fleet.db, accepted.instanceId), password)
      },
    }),
    ...removalRoutes(parts, pages),
    ...paymentRoutes(parts),
    route({
      method: 'get',
      path: '/admin/operations/{id}',
      summary: 'One operation with its steps',
      guard: admin,
      params: z.object({ id: z.string() }),
      answers: { 200: { description: 'The operation', schema: operationSchema } },
      handle: (c, { params }) => {
        const found = findOperation(fleet.db, params.id)
        if (!found) throw unknownOperation(`No operation has the id "${params.id}".`)
        if (wantsPage(c))
          return c.redirect(`/admin/instances/${getInstance(fleet.db, found.instanceId).subdomain}`, 303)
        return c.json(wireOperation(found))
      },
    }),
  ]

  /** Shows a browser its form again when the name cannot be had; for everyone else the problem goes its way. */
  async function formErrors<T>(
    c: AppContext,
    values: NewInstanceValues,
    work: () => Promise<T>,
  ): Promise<T | Response> {
    try {
      return await work()
    } catch (error) {
      if (!wantsPage(c) || !isNameProblem(error)) throw error
      const { errors = [{ path: 'subdomain', message: error.detail }], status } = error
      const taken = error.code === subdomainTaken.code ? String(values.subdomain) : null
      return pages.create(c, values, errors, { status, taken })
    }
  }
}

function isNameProblem(error: unknown): error is Problem {
  return error instanceof Problem && error.status === 409
}
