import { readFile } from 'node:fs/promises';
import { CloutError } from '@cloutagent/contract';
import { parseScenario } from './parse-scenario.ts';
import type { Scenario } from './scenario.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from './server.ts';

/** Reads a scenario file. NOT_FOUND without one, VALIDATION_ERROR that names the wrong field. */
export const loadScenario = async (file: string): Promise<Scenario> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CloutError('NOT_FOUND', `The scenario file ${file} cannot be read`, {
      hint: 'Check the path of the scenario file',
      cause,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : '';
    throw new CloutError('VALIDATION_ERROR', `The scenario file ${file} is not valid JSON: ${detail}`, {
      hint: 'Mend the file',
      cause,
    });
  }
  return parseScenario(value);
};

export interface RunOptions extends Omit<SimulatorOptions, 'scenario'> {
  /** The default scenario where none is named. */
  readonly scenarioFile?: string;
}

/** One call for a command: scenario by file name, everything else as in `startSimulator`. */
export const runSimulator = async ({ scenarioFile, ...options }: RunOptions): Promise<Simulator> =>
  startSimulator(scenarioFile === undefined ? options : { ...options, scenario: await loadScenario(scenarioFile) });
