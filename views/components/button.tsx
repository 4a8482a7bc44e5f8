import type { Child } from 'hono/jsx'
import { IfPermitted } from '../permits.tsx'

export type ButtonLook = 'plain' | 'primary' | 'danger' | 'quiet'

export interface ButtonProps {
  look?: ButtonLook
  disabled?: boolean
  /**
   * The object of the button for screen readers, where several buttons have the same text: `Run now` `daily-digest`.
   */
  about?: string | undefined
  children: Child
}

/** Submits the surrounding form. */
export function Button({ look = 'plain', disabled, about, children }: ButtonProps) {
  return (
    <button type="submit" class={look === 'plain' ? undefined : look} disabled={disabled}>
      {children}
      <About words={about} />
    </button>
  )
}

/**
 * The rest of an accessible name. It follows the visible text instead of replacing it, because people with voice
 * control say that text (WCAG 2.5.3).
 */
export function About({ words }: { words: string | undefined }) {
  return words === undefined ? null : <span class="unseen"> {words}</span>
}

export interface PostButtonProps extends ButtonProps {
  action: string
  fields?: Readonly<Record<string, string>>
}

/**
 * One action as a form with one button: it works without JavaScript, and no link can trigger it. Shown only to those who may
 * do it.
 */
export function PostButton({ action, fields = {}, ...button }: PostButtonProps) {
  return (
    <PostForm action={action} look="inline" fields={fields}>
      <Button {...button} />
    </PostForm>
  )
}

export interface PostFormProps {
  action: string
  /** The form's class. */
  look?: string
  /** Hidden fields. */
  fields?: Readonly<Record<string, string>>
  children: Child
}

/** A form that changes something, shown only to those who may do it. */
export function PostForm({ action, look, fields = {}, children }: PostFormProps) {
  return (
    <IfPermitted method="post" href={action}>
      <form method="post" action={action} class={look}>
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        {children}
      </form>
    </IfPermitted>
  )
}

export interface ConfirmProps extends Omit<PostButtonProps, 'children'> {
  /** The text of the button that opens it. */
  ask: string
  /** The text of the button that confirms it. */
  confirm: string
  /** Shown open, to correct what was typed. */
  open?: boolean
  /** One of its fields is a file. */
  withFile?: boolean
  /** What will happen, and what will be kept. Fields in it are sent too. */
  children: Child
}

/**
 * An action with a confirmation, shown only to those who may do it. A disclosure, so it needs no JavaScript; opening one
 * closes the page's others, which share its name.
 */
export function Confirm(props: ConfirmProps) {
  const { ask, confirm, action, fields = {}, look = 'danger', about, open, withFile, children } = props
  return (
    <IfPermitted method="post" href={action}>
      <details class="confirm" name="confirm" open={open}>
        <summary class={`button ${look === 'plain' ? '' : look}`}>
          {ask}
          <About words={about} />
        </summary>
        <form
          method="post"
          action={action}
          class="confirm-body"
          enctype={withFile ? 'multipart/form-data' : undefined}
        >
          {Object.entries(fields).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <div>{children}</div>
          <div class="actions">
            <Button look={look}>{confirm}</Button>
          </div>
        </form>
      </details>
    </IfPermitted>
  )
}
