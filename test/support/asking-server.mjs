// A stdio MCP server whose tools ask a person. Usage: node asking-server.mjs legacy|modern FILE
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { inputRequired, inputResponse, McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const [, , era, file] = process.argv;
const FORM = {
  type: 'object',
  properties: { branch: { type: 'string' }, force: { type: 'boolean', default: false } },
  required: ['branch'],
};
const LINK = 'https://example.test/sign-in?for=deploy';
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const noted = (what) => appendFileSync(file, `${what}\n`);
const modern = era === 'modern';

/** Legacy: a request of the server in the middle of its call. Since 2026-07-28: an answer that wants to be asked again. */
const ask = (context, params) => {
  if (modern) {
    const answer = inputResponse(context.mcpReq.inputResponses, 'asked');
    if (answer.kind === 'elicit') return { answer };
    const { message, requestedSchema, url } = params;
    return {
      again: inputRequired({
        inputRequests: {
          asked:
            url === undefined
              ? inputRequired.elicit({ message, requestedSchema })
              : inputRequired.elicitUrl({ message, url, elicitationId: 'sign-in' }),
        },
      }),
    };
  }
  return context.mcpReq.send({ method: 'elicitation/create', params }).then((answer) => ({ answer }));
};

const make = () => {
  const mcp = new McpServer({ name: 'asking', version: '1' });
  const tool = (name, annotations, work) =>
    mcp.registerTool(name, { description: `${name}s something`, annotations }, work);
  tool('deploy', {}, async (context) => {
    noted('deploy');
    const { again, answer } = await ask(context, { mode: 'form', message: 'Which branch?', requestedSchema: FORM });
    return again ?? text({ action: answer.action, content: answer.content });
  });
  tool('sign-in', {}, async (context) => {
    const params = { mode: 'url', message: 'Sign in there', url: LINK, elicitationId: 'sign-in' };
    const { again, answer } = await ask(context, params);
    return again ?? text({ action: answer.action });
  });
  // Dies once in the middle of its question; may be made again.
  tool('check', { idempotentHint: true }, async (context) => {
    noted('check');
    const { again, answer } = await ask(context, { mode: 'form', message: 'Really?', requestedSchema: FORM });
    return again ?? text({ action: answer.action, content: answer.content });
  });
  tool('think', {}, async (context) => {
    const messages = [{ role: 'user', content: { type: 'text', text: 'Hi' } }];
    if (modern)
      return inputRequired({ inputRequests: { asked: inputRequired.createMessage({ messages, maxTokens: 5 }) } });
    return context.mcpReq.send({ method: 'sampling/createMessage', params: { messages, maxTokens: 5 } }).then(text);
  });
  return mcp;
};

if (!existsSync(file)) writeFileSync(file, '');
if (modern) serveStdio(make, { legacy: 'reject' });
else await make().connect(new StdioServerTransport());
