"""Which arguments of `vllm serve` are no parameters here, and why: a new one must be put into a list."""

from collections.abc import Mapping

# Which model is served, from where and under which name: the manifest says so.
_MODEL = """
    allow_deprecated_quantization allowed_local_media_path allowed_media_domains code_revision
    config_format convert download_dir hf_config_path hf_overrides hf_token ignore_patterns
    io_processor_plugin load_format logits_processors model model_class_overrides model_impl
    model_loader_extra_config pooler_config pt_load_map_location quantization_config revision runner
    safetensors_load_strategy safetensors_prefetch_block_size safetensors_prefetch_num_threads
    served_model_name tokenizer tokenizer_mode tokenizer_revision trust_remote_code use_tqdm_on_load
    renderer_num_workers skip_tokenizer_init
"""
# What requests say for themselves, or what answers hold beside their text.
_ANSWERS = """
    aux_output_config enable_prompt_embeds enable_return_routed_experts enable_trace_replay
    generation_config logprobs_mode max_logprobs override_generation_config reasoning_config
    reasoning_parser reasoning_parser_plugin return_sampling_mask seed structured_outputs_config
    use_fp64_gumbel watermark_config diffusion_config
"""
# How processes of several machines, or several servers, find one another.
_PLACES = """
    api_server_count config cp_kv_cache_interleave_size cpu_distributed_timeout_seconds
    data_parallel_address data_parallel_backend data_parallel_external_lb data_parallel_hybrid_lb
    data_parallel_multi_port_external_lb data_parallel_rank data_parallel_rpc_port
    data_parallel_size_local data_parallel_start_rank dcp_comm_backend dcp_kv_cache_interleave_size
    dcp_q_replicate device_ids disable_nccl_for_dp_synchronization distributed_executor_backend
    distributed_timeout_seconds dp_sync_interval ec_manager_config ec_transfer_config
    elastic_ep_max_dp_size enable_elastic_ep enable_fault_tolerance fault_tolerance_config grpc headless
    kv_events_config kv_transfer_config master_addr master_port nnodes node_rank numa_bind numa_bind_cpus
    numa_bind_nodes ray_workers_use_nsight shutdown_timeout weight_transfer_config worker_cls
    worker_extension_cls
"""
# Sleep, profiles and logs: nothing of them is for a server that is measured.
_OPERATION = """
    additional_config aggregate_engine_logging disable_log_stats enable_cumem_allocator
    enable_log_requests enable_nccl_comm_suspend enable_sleep_mode fail_on_environ_validation
    max_parallel_loading_workers profiler_config sleep_mode_offload_cudagraph
    sleep_preserve_parameter_names
"""
# Images, sound and video: the workloads here are text.
_MEDIA = """
    disable_chunked_mm_input enable_mm_embeds interleave_mm_strings language_model_only
    limit_mm_per_prompt media_io_kwargs mm_device_do_normalize mm_encoder_attn_backend
    mm_encoder_attn_dtype mm_encoder_fp8_scale_path mm_encoder_fp8_scale_save_margin
    mm_encoder_fp8_scale_save_path mm_encoder_only mm_encoder_tp_mode mm_hasher_algorithm
    mm_ipc_gpu_memory_gb mm_processor_cache_gb mm_processor_cache_type mm_processor_device
    mm_processor_kwargs mm_shm_cache_max_object_size_mb mm_tensor_ipc skip_mm_profiling
    video_pruning_method video_pruning_rate
"""
# Said by another parameter, within which it is an entry, or of which it is the older or the shorter form.
_SAID_OTHERWISE = """
    attention_config compilation_config eplb_config kernel_config kv_cache_memory_bytes spec_method
    spec_model spec_tokens speculative_config ubatch_size
"""
# Refuse requests, or hold them back, at a limit: a load that is measured is to be answered whole.
_LIMITS = """
    max_num_active_seqs max_num_queued_reqs max_num_queued_tokens max_num_scheduled_tokens
"""
# For single models or single kernels, on by default where they help.
_SPECIAL = """
    cpu_offload_params enable_batch_sharded_sampling enable_ep_weight_filter enable_hc_sp
    enable_mamba_cache_stochastic_rounding enable_mamba_shared_prefix_checkpoint enable_shm_tensor_arena
    engram_config gdn_prefill_backend ir_op_priority kda_decode_backend kda_prefill_backend
    kv_cache_dtype_skip_layers long_prefill_token_threshold_adaptive mamba_cache_philox_rounds
    mamba_ssu_algorithm offload_params prefix_cache_retention_interval prefix_match_unit
    replayssm_buffer_len scheduler_cls sparse_indexer_topk_backend swa_bounded_replay use_replayssm
"""

LEFT_OUT: Mapping[str, frozenset[str]] = {
    reason: frozenset(names.split())
    for reason, names in {
        "which model": _MODEL,
        "what answers hold": _ANSWERS,
        "places of processes": _PLACES,
        "operation": _OPERATION,
        "media": _MEDIA,
        "said otherwise": _SAID_OTHERWISE,
        "limits on requests": _LIMITS,
        "single models and kernels": _SPECIAL,
    }.items()
}
