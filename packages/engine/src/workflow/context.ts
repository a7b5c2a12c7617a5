import type { NodeOutcome, WorkflowDocument, WorkflowRunDocument } from '@cloutagent/contract';
import type { ToolPort } from '../agent/tool-port.ts';
import type { PrefixTokens } from '../model/bound.ts';
import type { ModelPort } from '../model/port.ts';
import type { PriceTable } from '../model/price.ts';
import type { Activity } from './activity.ts';
import type { Drive } from './drive.ts';
import type { Scope } from './scope.ts';
import type { Waits } from './waits.ts';

/** The open tasks of a change as one node; the lane does them. */
export type TaskGraph = (options: {
  readonly drive: Drive;
  /** Beginning of the keys of its steps. */
  readonly place: string;
  readonly change: string;
}) => Promise<string>;

/** What a workflow needs of the world. */
export interface WorkflowPorts {
  readonly model: (options: { readonly simulated: boolean }) => ModelPort | Promise<ModelPort>;
  /** Tools of these servers, and no others. */
  readonly tools: (servers: readonly string[]) => Promise<ToolPort>;
  readonly prices: PriceTable;
  readonly prefixes: PrefixTokens;
  readonly defaults: {
    /** Largest `max_tokens` of a model call. */
    readonly maxTokens: number;
    /** Model calls of an agent. */
    readonly maxIterations: number;
    /** Nodes of one run at a time. */
    readonly concurrency: number;
  };
  readonly taskGraph?: TaskGraph;
}

/** How a node is run while a run is replayed: over its rows, and judged by them. */
export interface Replay {
  node(key: string, run: () => Promise<NodeOutcome>): Promise<NodeOutcome>;
}

/** What all nodes of one driven run share. */
export interface RunContext {
  readonly drive: Drive;
  readonly document: WorkflowRunDocument;
  readonly ports: WorkflowPorts;
  readonly activity: Activity;
  readonly waits: Waits;
  /** Where present, every node is run again over the rows of its steps, and no row of a node is believed. */
  readonly replay: Replay | undefined;
  /** Why the run stops: the first reason counts. Steps that are being done are finished, no new ones begun. */
  stop(reason: unknown): void;
  stopped(): boolean;
}

/** One scope as it is run: where it stands, and what its templates may name. */
export interface ScopeContext {
  readonly run: RunContext;
  readonly scope: Scope;
  /** Beginning of the places of its nodes: empty, or ending in a slash. */
  readonly prefix: string;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Maps and workflows around it. */
  readonly depth: number;
  /** Whether its nodes are run again and again, for the items of a map. */
  readonly repeated: boolean;
  /** The document that it belongs to, for the model of its agents. */
  readonly workflow: WorkflowDocument;
  /** Whether this scope, or one around it, has failed or is stopping. */
  halted(): boolean;
}

/** Runs the nodes of a scope and gives what it gives. Throws the error of a node that failed it, or Halt. */
export type RunScope = (context: ScopeContext, drive: Drive) => Promise<string>;

/** One attempt at a node. */
export interface NodeWork<N> {
  readonly context: ScopeContext;
  readonly node: N;
  readonly place: string;
  /** Beginning of the keys of the attempt's steps. */
  readonly key: string;
  readonly input: string;
  /** With the attempt's own signal. */
  readonly drive: Drive;
  /** Value of a name in a template of the node. */
  readonly valueOf: (name: string) => string | undefined;
}

export interface NodeResult {
  readonly output: string;
  readonly branch?: 'then' | 'else';
}
