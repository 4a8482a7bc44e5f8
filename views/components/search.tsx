import { Button } from './button.tsx'

export interface SearchProps {
  /** The address of the list. */
  action: string
  words: string
  /** What is searched, for screen readers. */
  label: string
  placeholder: string
}

/** The search field of a long list, sent as `search` in the query. */
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
