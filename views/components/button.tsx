import type { Child } from 'hono/jsx'

export type ButtonLook = 'plain' | 'primary' | 'danger' | 'quiet'

export interface ButtonProps {
  look?: ButtonLook
  disabled?: boolean
  /** What it acts on, heard behind the words on it where several buttons say the same: `Run now` `daily-digest`. */
  about?: string | undefined
  children: Child
}

/** Submits the form that it stands in. */
export function Button({ look = 'plain', disabled, about, children }: ButtonProps) {
  return (
    <button type="submit" class={look === 'plain' ? undefined : look} disabled={disabled}>
      {children}
      <About words={about} />
    </button>
  )
}

/**
 * The rest of an accessible name. Behind the visible words and not in place of them: who speaks to the computer says
 * what is to be seen (WCAG 2.5.3).
 */
export function About({ words }: { words: string | undefined }) {
  return words === undefined ? null : <span class="unseen"> {words}</span>
}

export interface PostButtonProps extends ButtonProps {
  action: string
  fields?: Readonly<Record<string, string>>
}

/** One action as a form of one button: it works without JavaScript and can be followed by no link. */
export function PostButton({ action, fields = {}, ...button }: PostButtonProps) {
  return (
    <form method="post" action={action} class="inline">
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <Button {...button} />
    </form>
  )
}

export interface ConfirmProps extends Omit<PostButtonProps, 'children'> {
  /** The words on the button that opens it. */
  ask: string
  /** The words on the button that does it. */
  confirm: string
  /** Shown open: what was typed has to be corrected. */
  open?: boolean
  /** What will happen, and what will be kept. Fields here are sent too. */
  children: Child
}

/**
 * An action that says what it will do before it does it. A disclosure, so that it needs no JavaScript; opening one
 * closes the others of the page, which their common name does.
 */
export function Confirm(props: ConfirmProps) {
  const { ask, confirm, action, fields = {}, look = 'danger', about, open, children } = props
  return (
    <details class="confirm" name="confirm" open={open}>
      <summary class={`button ${look === 'plain' ? '' : look}`}>
        {ask}
        <About words={about} />
      </summary>
      <form method="post" action={action} class="confirm-body">
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <div>{children}</div>
        <div class="actions">
          <Button look={look}>{confirm}</Button>
        </div>
      </form>
    </details>
  )
}
