import { z } from 'zod'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { Problem } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import type { NewInstanceValues } from '../../../views/operator/new-instance.tsx'
import { provision } from '../commands/commands.ts'
import { subdomainTaken } from '../problems.ts'
import { getInstance } from '../records/instance.ts'
import { subdomainSchema } from '../records/subdomain.ts'
import { answerWith, optionalImage, ownerEmail, type ProvisionerRoutes, truth } from './answer.ts'
import type { InstancePages } from './pages.tsx'
import { instanceSchema } from './wire.ts'

const provisionBody = z.object({
  subdomain: subdomainSchema,
  owner_email: ownerEmail,
  image: optionalImage,
  adopt: truth.optional().meta({ description: 'Adopt a used volume that belongs to no instance' }),
})

export function newInstancePageRoute({ admin }: ProvisionerRoutes, pages: InstancePages): Route {
  return route({
    method: 'get',
    path: '/admin/new',
    summary: 'The form for a new instance',
    guard: admin,
    role: 'operate',
    pageOnly: true,
    answers: { 200: { description: 'The page' } },
    handle: c => pages.create(c, {}, []),
  })
}

export function provisionRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  const { fleet, admin } = parts
  const answer = answerWith(parts)
  return route({
    method: 'post',
    path: '/admin/instances',
    summary: 'Provision an instance',
    guard: admin,
    role: 'operate',
    mayWait: true,
    body: provisionBody,
    answers: {
      201: {
        description:
          'Done, within the time that `Prefer: wait=N` allows. The password is shown only in this answer',
        schema: instanceSchema.extend({ password: z.string() }),
      },
      202: {
        description: 'The work has started. The password is shown only in this answer',
        schema: instanceSchema.extend({ password: z.string() }),
      },
    },
    onInvalid: (c, errors, fields) => pages.create(c, fields as NewInstanceValues, errors),
    handle: async (c, { body }) => {
      const { subdomain, owner_email, image = parts.defaultImage, adopt = false } = body
      const accepted = await formErrors(pages, c, body, () =>
        provision(fleet, { subdomain, ownerEmail: owner_email, image, adopt, account: null }),
      )
      if (accepted instanceof Response) return accepted
      if (!wantsPage(c)) return answer(c, accepted, 201, { password: accepted.password })
      parts.nudge()
      return pages.created(c, getInstance(fleet.db, accepted.instanceId), accepted.password)
    },
  })
}

/** Shows a browser its form again when the name cannot be had; for everyone else the problem goes its way. */
async function formErrors<T>(
  pages: InstancePages,
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

function isNameProblem(error: unknown): error is Problem {
  return error instanceof Problem && error.status === 409
}
