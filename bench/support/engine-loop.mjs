export const MODEL = 'claude-sonnet-5-5';
export const TOOL = {
  name: 'add',
  description: 'Adds two numbers',
  input_schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
};

/** A loop over the raw SDK: ask, add, ask again. */
export const rawLoop = (client) => {
  const ask = async (messages) => {
    const content = [];
    let stop;
    const stream = await client.messages.create({
      model: MODEL,
      max_tokens: 1024,
      stream: true,
      tools: [TOOL],
      messages,
    });
    for await (const event of stream) {
      if (event.type === 'content_block_start') content[event.index] = { ...event.content_block, json: '' };
      else if (event.type === 'content_block_delta') {
        if (event.delta.type === 'text_delta') content[event.index].text += event.delta.text;
        else content[event.index].json += event.delta.partial_json;
      } else if (event.type === 'message_delta') stop = event.delta.stop_reason;
    }
    return {
      content: content.map(({ json, ...block }) =>
        block.type === 'tool_use' ? { ...block, input: JSON.parse(json) } : block,
      ),
      stop,
    };
  };
  const call = async () => {
    const messages = [{ role: 'user', content: 'What is 1 + 2?' }];
    for (;;) {
      const { content, stop } = await ask(messages);
      if (stop !== 'tool_use') return;
      messages.push({ role: 'assistant', content });
      const results = content
        .filter((block) => block.type === 'tool_use')
        .map((block) => ({
          type: 'tool_result',
          tool_use_id: block.id,
          content: String(block.input.a + block.input.b),
        }));
      messages.push({ role: 'user', content: results });
    }
  };
  return { ask, call };
};
