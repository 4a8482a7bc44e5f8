import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import type { FieldError } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, roles, route } from '../../src/http/route.ts'
import { actorName } from '../../src/sign-in/actor-name.ts'
import { operatorInvitation } from '../../views/mail/operator-email.tsx'
import { OperatorsPage, type OperatorsPageProps } from '../../views/operator/access/operators-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { MailService } from '../mail/contract.ts'
import type { OperatorBook } from './book.ts'
import type { OperatorRow } from './operator.ts'
import type { SecondFactor } from './second-factor.ts'
import { emailField, operatorSchema, wireOperator } from './wire.ts'

const path = '/admin/operators'
const params = z.object({ id: z.string() })
const role = z.enum(roles, `must be one of ${roles.join(', ')}`)

const invitedSchema = operatorSchema.extend({
  invitation_url: z
    .string()
    .meta({ description: 'Where they accept; shown only here, valid for three days, once' }),
  mailed: z.boolean().meta({ description: 'Whether it was sent by email, too' }),
})

const done = (description: string) => ({
  204: { description },
  303: { description: 'For a browser: back to the page' },
})

/** Who operates this site, for operators with the role `own`. */
export function operatorRoutes(parts: {
  admin: Guard
  book: OperatorBook
  factor: SecondFactor
  clock: Clock
  mail: MailService
  site: string
  /** Where an invitation with this secret is accepted. */
  invitationUrl(secret: string): string
}): Route[] {
  const { admin, book, factor, clock, mail, site } = parts
  const spec = { guard: admin, role: 'own' } as const
  const change = { ...spec, fresh: true } as const
  const views = () => book.views().map(operator => ({ ...operator, canSignIn: factor.letsIn(operator) }))
  const page = (c: AppContext, props: Pick<OperatorsPageProps, 'invited' | 'form'> = {}, status = 200) => {
    c.status(status as 200)
    c.header('Cache-Control', 'no-store')
    const you = c.get('principal')?.id ?? ''
    const content = <OperatorsPage now={clock.now()} you={you} operators={views()} {...props} />
    return c.render(content, operatorFrame('Operators', path))
  }
  /** Sends an invitation by email, if mail is set up, and returns whether it does. */
  const send = ({ id, email, name, role, invitedUntil }: OperatorRow, url: string, by: string): boolean =>
    mail.on &&
    mail.send({
      key: `operator-invitation:${id}:${invitedUntil}`,
      to: email,
      email: operatorInvitation({ name, role, url, by, site, until: invitedUntil ?? 0 }),
    })
  const invited = (
    c: AppContext,
    { row, secret }: { row: OperatorRow; secret: string },
    status: 200 | 201,
  ) => {
    const url = parts.invitationUrl(secret)
    const mailed = send(row, url, c.get('principal')?.name ?? '')
    if (wantsPage(c)) return page(c, { invited: { name: row.name, email: row.email, url, mailed } }, status)
    c.header('Cache-Control', 'no-store')
    return c.json({ ...wireOperator(book.view(row)), invitation_url: url, mailed }, status)
  }
  const back = (c: AppContext) => (wantsPage(c) ? c.redirect(path, 303) : c.body(null, 204))
  const remove = (method: 'post' | 'delete', at: string) =>
    route({
      ...{ ...change, method, path: at, params },
      summary: method === 'post' ? 'Same as DELETE, for forms' : 'Remove an operator, and end their sessions',
      ...(method === 'post' ? { body: z.object({}) } : {}),
      answers: done('Removed'),
      handle: (c, { params }) => {
        book.remove(params.id)
        return back(c)
      },
    })

  return [
    route({
      ...{ ...spec, method: 'get', path },
      summary: 'Operators, in the order in which they were invited',
      answers: {
        200: { description: 'The operators', schema: z.object({ operators: z.array(operatorSchema) }) },
      },
      handle: c => (wantsPage(c) ? page(c) : c.json({ operators: book.views().map(wireOperator) })),
    }),
    route({
      ...{ ...change, method: 'post', path },
      summary: 'Invite an operator',
      body: z.object({
        name: actorName('a name'),
        email: emailField,
        role,
      }),
      answers: { 201: { description: 'Invited', schema: invitedSchema } },
      onInvalid: (c, errors, values) => page(c, { form: formOf(values, errors) }, 422),
      handle: (c, { body }) => {
        try {
          const by = c.get('principal')?.name ?? ''
          return invited(c, book.invite({ ...body, createdBy: by }), 201)
        } catch (error) {
          const { errors } = error as { errors?: FieldError[] }
          if (!wantsPage(c) || !errors) throw error
          return page(c, { form: formOf(body, errors) }, 422)
        }
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/{id}/role`, params },
      summary: 'Give an operator another role, and end their sessions',
      body: z.object({ role }),
      answers: done('Changed'),
      handle: (c, { params, body }) => {
        book.changeRole(params.id, body.role)
        return back(c)
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/{id}/reset`, params },
      summary:
        'Take all ways of signing in from an operator, end their sessions, and invite them again; also replaces an invitation',
      body: z.object({}),
      answers: { 200: { description: 'Invited again', schema: invitedSchema } },
      handle: (c, { params }) => invited(c, book.reset(params.id), 200),
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/{id}/revoke-invitation`, params },
      summary: 'Revoke the invitation at hand. One who never joined is removed',
      body: z.object({}),
      answers: done('Revoked'),
      handle: (c, { params }) => {
        book.revokeInvitation(params.id)
        return back(c)
      },
    }),
    remove('delete', `${path}/{id}`),
    remove('post', `${path}/{id}/remove`),
  ]
}

function formOf(values: Record<string, unknown>, errors: readonly FieldError[]) {
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const)
  return { values: Object.fromEntries(texts), errors }
}
