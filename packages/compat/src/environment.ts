/** What the seed's classes find in the environment when they are made. */
export const readEnvironment = () => ({
  apiKey: process.env['ANTHROPIC_API_KEY'],
  apiUrl: process.env['ANTHROPIC_API_URL'],
  /** For the children of MCP servers, which get HOME, PATH and a few others of it. */
  variables: { ...process.env },
  cwd: process.cwd(),
});
