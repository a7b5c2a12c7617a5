import {
  CloutError,
  SLUG_PATTERN,
  TOOLS,
  type ChangeArchiveInput,
  type ChangeOpenInput,
  type ChangesActiveInput,
  type ToolName,
  type ToolSpec,
} from '@cloutagent/contract';

/** MCP's rule for tool names, which the seed's follow too. */
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/u;
/** Values are shown back to the caller, not stored at length in logs. */
const SHOWN_VALUE = 200;

/** A call whose name is known and whose input fits. */
export type ToolCall =
  | { readonly tool: 'change.open'; readonly input: ChangeOpenInput }
  | { readonly tool: 'change.archive'; readonly input: ChangeArchiveInput }
  | { readonly tool: 'changes.active'; readonly input: ChangesActiveInput };

const isToolName = (name: string): name is ToolName => Object.hasOwn(TOOLS, name);

/**
 * Finds a tool by its name, or by the form with underscores that clients make of it (`change_open`).
 * @throws INVALID_TOOL_NAME, TOOL_NOT_FOUND
 */
export const findTool = (name: string): ToolSpec & { readonly name: ToolName } => {
  if (!TOOL_NAME.test(name))
    throw new CloutError('INVALID_TOOL_NAME', 'The tool name is malformed', { details: { field: 'tool' } });
  const known = isToolName(name)
    ? name
    : Object.values(TOOLS).find((tool) => tool.name.replaceAll('.', '_') === name)?.name;
  if (known !== undefined) return TOOLS[known];
  throw new CloutError('TOOL_NOT_FOUND', `Tool '${name}' not found`, {
    details: { tool: name, available: Object.keys(TOOLS) },
  });
};

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string | undefined;
}

const fieldOf = ({ path }: Issue): string => (path.length === 0 ? 'input' : path.map(String).join('.'));

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      value !== null && typeof value === 'object' ? new Map(Object.entries(value)).get(String(key)) : undefined,
    input,
  );

const shown = (value: unknown): object => {
  if (typeof value === 'string') return { value: value.slice(0, SHOWN_VALUE) };
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? { value } : {};
};

/** The schema's own words speak of a type that was received as undefined. */
const messageOf = (input: unknown, { code, path, message }: Issue): string =>
  code === 'invalid_type' && path.length > 0 && valueAt(input, path) === undefined ? 'required field missing' : message;

/** The seed's error for an input that breaks its schema: the first finding in `details`, up to three in the message. */
const invalidInput = (tool: ToolName, input: unknown, issues: readonly Issue[]): CloutError => {
  const shownIssues = issues.slice(0, 3).map((issue) => ({ ...issue, message: messageOf(input, issue) }));
  const told = shownIssues.map((issue) => `${fieldOf(issue)}: ${issue.message}`);
  const [first] = shownIssues;
  return new CloutError('INVALID_INPUT', `Invalid input for tool '${tool}': ${told.join('; ')}`, {
    details: {
      ...(first === undefined
        ? {}
        : { field: fieldOf(first), issue: first.message, ...shown(valueAt(input, first.path)) }),
      ...(first?.path[0] === 'slug' ? { pattern: SLUG_PATTERN } : {}),
      schema_reference: `https://example.org/task-mcp/${tool}.input.schema.json`,
    },
  });
};

/** @throws INVALID_TOOL_NAME, TOOL_NOT_FOUND, INVALID_INPUT */
export const parseCall = (name: string, input: unknown): ToolCall => {
  const tool = findTool(name).name;
  const given = input ?? {};
  const parsed = TOOLS[tool].input.safeParse(given);
  if (!parsed.success) throw invalidInput(tool, given, parsed.error.issues);
  // Name and schema come from the same row of the table, which the type system cannot follow through the union.
  return { tool, input: parsed.data } as ToolCall;
};
