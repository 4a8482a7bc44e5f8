import { Button } from './button.tsx'

export interface SearchProps {
  /** The address of the list. */
  action: string
  words: string
  /** What is searched, for those who hear it. */
  label: string
  placeholder: string
}

/** Asks a long list for what holds these words, in its query's `search`. */
export function Search({ action, words, label, placeholder }: SearchProps) {
  return (
    <search>
      <form method="get" action={action} class="search">
        <input
          type="search"
          name="search"
          value={words}
          aria-label={label}
          placeholder={placeholder}
          maxlength={200}
          spellcheck={false}
          autocapitalize="none"
        />
        <Button>Search</Button>
      </form>
    </search>
  )
}
