import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type AppContext, type FieldErrors, type Route, route } from '../../../src/http/route.ts'
import { EnvironmentPage } from '../../../views/operator/instance/instance-environment.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import { requireInstance, wanted } from '../records/instance.ts'
import { changeVariable, type VariableChange, variablesDiffer } from '../variables/change.ts'
import { longestValue, nameFault } from '../variables/names.ts'
import { answerOrReturn, answers, named, type ProvisionerRoutes, truth } from './answer.ts'

const path = '/admin/instances/{subdomain}/environment'

const name = z
  .string('must be a name')
  .trim()
  .superRefine((text, context) => {
    const fault = nameFault(text, [])
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })
const value = z
  .string('must be a text')
  .min(1, 'must not be empty; remove the variable instead')
  .max(longestValue, `may have at most ${longestValue} characters`)
  .refine(text => !text.includes('\0'), 'must not contain NUL')
const secret = truth
  .default(true)
  .meta({ description: 'Masks the value in the log and never shows it; `false` for one that may be read' })
const restart = truth.default(false).meta({
  description:
    'Restarts an instance that runs, so that the change applies at once; else it applies at the next start',
})

/** Environment variables that the operator sets for one instance. */
export function environmentRoutes(parts: ProvisionerRoutes): Route[] {
  const { fleet, admin, variables } = parts
  const { db, clock } = fleet
  const show = (c: AppContext, subdomain: string, form?: { name: string; errors: FieldErrors }) => {
    const instance = requireInstance(db, subdomain)
    if (form) c.status(422)
    const page = (
      <EnvironmentPage
        subdomain={subdomain}
        variables={variables.list(instance.id)}
        waiting={variablesDiffer(variables, instance)}
        runs={wanted(instance) === 'running'}
        removed={instance.desired === 'deleted'}
        name={form?.name ?? ''}
        errors={form?.errors ?? []}
        now={clock.now()}
      />
    )
    return c.render(page, operatorFrame(`Environment of ${subdomain}`, '/admin/instances'))
  }
  const change = async (c: AppContext, subdomain: string, wish: VariableChange) => {
    const accepted = changeVariable(fleet, variables, subdomain, wish)
    return await answerOrReturn(parts, c, accepted, path.replace('{subdomain}', subdomain))
  }
  return [
    route({
      method: 'get',
      path,
      summary:
        'The environment variables that the operator set for an instance, with the values of those that are not secret',
      guard: admin,
      role: 'read',
      params: named,
      answers: {
        200: {
          description: 'The variables, by name',
          schema: z.object({
            variables: z.array(
              z.object({
                name: z.string(),
                secret: z.boolean(),
                value: z.string().nullable().meta({ description: 'Null for a secret' }),
                updated_at: z.iso.datetime(),
                updated_by: z.string().nullable(),
              }),
            ),
            applies_at_next_restart: z
              .boolean()
              .meta({ description: 'Whether the instance runs with other variables than these' }),
          }),
        },
      },
      handle: (c, { params: { subdomain } }) => {
        if (wantsPage(c)) return show(c, subdomain)
        const instance = requireInstance(db, subdomain)
        return c.json({
          variables: variables.list(instance.id).map(({ name, secret, value, updatedAt, updatedBy }) => ({
            ...{ name, secret, value },
            updated_at: timestamp(updatedAt),
            updated_by: updatedBy,
          })),
          applies_at_next_restart: variablesDiffer(variables, instance),
        })
      },
    }),
    route({
      method: 'post',
      path,
      operation: 'setInstanceVariable',
      summary: 'Set an environment variable of an instance',
      guard: admin,
      role: 'operate',
      mayWait: true,
      params: named,
      body: z.object({ name, value, secret, restart }),
      answers,
      onInvalid: (c, errors, fields) =>
        show(c, c.req.param('subdomain') ?? '', { name: String(fields.name ?? ''), errors }),
      handle: (c, { params, body }) => change(c, params.subdomain, body),
    }),
    route({
      method: 'post',
      path: `${path}/remove`,
      summary: 'Remove an environment variable of an instance',
      guard: admin,
      role: 'operate',
      mayWait: true,
      params: named,
      body: z.object({ name: z.string(), restart }),
      answers,
      handle: (c, { params, body }) => change(c, params.subdomain, { ...body, value: null, secret: true }),
    }),
  ]
}
