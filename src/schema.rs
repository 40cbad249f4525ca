//! Every table, grouped by room. One schema serves both databases; a test compares them.

// kernel
diesel::table! {
    journal (id) {
        id -> BigInt,
        at -> Timestamp,
        actor -> Text,
        topic -> Text,
        subject -> Text,
        body -> Text,
        position -> Nullable<BigInt>,
        hash -> Nullable<Text>,
    }
}
diesel::table! {
    leases (name) { name -> Text, until -> Timestamp, }
}
diesel::table! {
    cursors (name) { name -> Text, position -> BigInt, }
}
diesel::table! {
    kept_answers (caller, key_hash) {
        caller -> Text,
        key_hash -> Text,
        request -> Text,
        answer -> Text,
        at -> Timestamp,
    }
}

// markets
diesel::table! {
    same_as (kind, low_id, high_id) {
        kind -> Text,
        low_id -> Text,
        high_id -> Text,
        state -> Text,
        likeness -> BigInt,
        low_owner -> Text,
        high_owner -> Text,
        low_region -> Text,
        high_region -> Text,
        low_agrees -> Bool,
        high_agrees -> Bool,
        decided_by -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

// accounts
diesel::table! {
    accounts (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        lang -> Text,
        email_verified_at -> Nullable<Timestamp>,
        totp_secret -> Nullable<Text>,
        totp_confirmed_at -> Nullable<Timestamp>,
        totp_last_step -> Nullable<BigInt>,
        platform_role -> Nullable<Text>,
        platform_region -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
    }
}
diesel::table! {
    organizations (id) {
        id -> Text,
        name -> Text,
        kind -> Text,
        uscc -> Text,
        region_code -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    memberships (account_id, organization_id) {
        account_id -> Text,
        organization_id -> Text,
        role -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    sessions (id) {
        id -> Text,
        account_id -> Text,
        second_factor -> Bool,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    refresh_tokens (digest) {
        digest -> Text,
        session_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    links (digest) {
        digest -> Text,
        account_id -> Text,
        purpose -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    api_keys (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        name -> Text,
        prefix -> Text,
        digest -> Text,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    brokers (id) {
        id -> Text,
        account_id -> Text,
        organization_id -> Text,
        level -> Text,
        certificate_no -> Text,
        fields -> Text,
        region_codes -> Text,
        languages -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        state -> Text,
        certificate_base -> Nullable<Text>,
        issued_on -> Nullable<Date>,
        valid_until -> Nullable<Date>,
        reason -> Nullable<Text>,
        verified_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    caseload_limits (level) { level -> Text, cases -> BigInt, }
}
diesel::joinable!(memberships -> organizations (organization_id));
diesel::joinable!(memberships -> accounts (account_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(api_keys -> organizations (organization_id));
diesel::joinable!(brokers -> organizations (organization_id));
diesel::joinable!(brokers -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(
    memberships,
    organizations,
    accounts,
    sessions,
    api_keys,
    brokers
);

// achievements
diesel::table! {
    achievements (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        state -> Text,
        title -> Text,
        #[sql_name = "abstract"]
        abstract_text -> Text,
        keywords -> Text,
        field -> Text,
        stage -> Text,
        trl -> BigInt,
        ip_kind -> Nullable<Text>,
        patents -> Text,
        transfer_modes -> Text,
        price_fen -> Nullable<BigInt>,
        price_negotiable -> Bool,
        region_code -> Text,
        industry -> Nullable<Text>,
        chain -> Nullable<Text>,
        details -> Nullable<Text>,
        reasons -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        expires_on -> Nullable<Date>,
        held -> Bool,
        achievement_no -> Nullable<Text>,
    }
}
diesel::table! {
    achievement_serials (place, year) { place -> Text, year -> BigInt, last -> BigInt, }
}
diesel::table! {
    achievement_versions (achievement_id, version) {
        achievement_id -> Text,
        version -> BigInt,
        at -> Timestamp,
        account_id -> Text,
        changed -> Text,
        content -> Text,
    }
}

// demands
diesel::table! {
    demands (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        state -> Text,
        title -> Text,
        description -> Text,
        keywords -> Text,
        field -> Text,
        kind -> Text,
        cooperation_modes -> Text,
        indicators -> Text,
        budget_fen -> Nullable<BigInt>,
        budget_negotiable -> Bool,
        deadline -> Nullable<Date>,
        min_trl -> Nullable<BigInt>,
        region_code -> Text,
        industry -> Nullable<Text>,
        chain -> Nullable<Text>,
        visibility -> Text,
        broker_ids -> Text,
        reasons -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        held -> Bool,
    }
}
diesel::table! {
    demand_versions (demand_id, version) {
        demand_id -> Text,
        version -> BigInt,
        at -> Timestamp,
        account_id -> Text,
        changed -> Text,
        content -> Text,
    }
}
diesel::table! {
    demand_diagnoses (id) {
        id -> Text,
        demand_id -> Text,
        broker_id -> Text,
        asked_by -> Text,
        message -> Nullable<Text>,
        state -> Text,
        ending -> Nullable<Text>,
        due_by -> Timestamp,
        cleared_version -> Nullable<BigInt>,
        proposals -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    demand_proposals (diagnosis_id, number) {
        diagnosis_id -> Text,
        number -> BigInt,
        at -> Timestamp,
        account_id -> Text,
        demand_version -> BigInt,
        owner_content -> Text,
        broker_content -> Text,
        comment -> Nullable<Text>,
        state -> Text,
        accepted -> Text,
        decided_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    demand_readers (demand_id, organization_id) {
        demand_id -> Text,
        organization_id -> Text,
        at -> Timestamp,
    }
}
diesel::joinable!(demand_diagnoses -> demands (demand_id));
diesel::allow_tables_to_appear_in_same_query!(demand_diagnoses, demands);

// discovery
diesel::table! {
    exposures (kind, listing_id) {
        kind -> Text,
        listing_id -> Text,
        shown -> BigInt,
        updated_at -> Timestamp,
    }
}

// deals
diesel::table! {
    match_requests (id) {
        id -> Text,
        demand_id -> Text,
        achievement_id -> Text,
        demand_organization_id -> Text,
        achievement_organization_id -> Text,
        demand_region_code -> Text,
        achievement_region_code -> Text,
        requested_by -> Text,
        side -> Text,
        broker_id -> Nullable<Text>,
        message -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        comment -> Nullable<Text>,
        demand_accepted_at -> Nullable<Timestamp>,
        achievement_accepted_at -> Nullable<Timestamp>,
        respond_by -> Timestamp,
        deal_id -> Nullable<Text>,
        remind_at -> Nullable<Timestamp>,
        declined_side -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    deals (id) {
        id -> Text,
        match_request_id -> Text,
        demand_id -> Text,
        achievement_id -> Text,
        buyer_organization_id -> Text,
        seller_organization_id -> Text,
        buyer_region_code -> Text,
        seller_region_code -> Text,
        broker_id -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        comment -> Nullable<Text>,
        closed_side -> Nullable<Text>,
        contract_id -> Nullable<Text>,
        intent_at -> Nullable<Timestamp>,
        contracted_at -> Nullable<Timestamp>,
        registered_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    deal_brokers (id) {
        id -> Text,
        deal_id -> Text,
        broker_id -> Text,
        agency_id -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_side -> Text,
        replaces -> Nullable<Text>,
        kind -> Nullable<Text>,
        rate_bp -> Nullable<BigInt>,
        amount_fen -> Nullable<BigInt>,
        cap_fen -> Nullable<BigInt>,
        payer -> Nullable<Text>,
        serves -> Text,
        buyer_consent_at -> Nullable<Timestamp>,
        buyer_consent_by -> Nullable<Text>,
        buyer_disclosure -> Nullable<Text>,
        seller_consent_at -> Nullable<Timestamp>,
        seller_consent_by -> Nullable<Text>,
        seller_disclosure -> Nullable<Text>,
        comment -> Nullable<Text>,
        respond_by -> Timestamp,
        remind_at -> Nullable<Timestamp>,
        engaged_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    deal_broker_shares (engagement_id, broker_id) {
        engagement_id -> Text,
        broker_id -> Text,
        agency_id -> Text,
        bp -> BigInt,
        consent_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    deal_messages (id) {
        id -> Text,
        deal_id -> Text,
        account_id -> Text,
        side -> Text,
        body -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    deal_documents (id) {
        id -> Text,
        deal_id -> Text,
        account_id -> Text,
        side -> Text,
        name -> Text,
        media_type -> Text,
        size -> BigInt,
        sha256 -> Text,
        storage_key -> Text,
        created_at -> Timestamp,
        removed_at -> Nullable<Timestamp>,
        removed_by -> Nullable<Text>,
    }
}
diesel::table! {
    deal_intents (id) {
        id -> Text,
        deal_id -> Text,
        account_id -> Text,
        side -> Text,
        summary -> Text,
        amount_fen -> Nullable<BigInt>,
        digest -> Text,
        state -> Text,
        buyer_confirmed_at -> Nullable<Timestamp>,
        buyer_confirmed_by -> Nullable<Text>,
        seller_confirmed_at -> Nullable<Timestamp>,
        seller_confirmed_by -> Nullable<Text>,
        respond_by -> Timestamp,
        remind_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    deal_meetings (id) {
        id -> Text,
        deal_id -> Text,
        account_id -> Text,
        side -> Text,
        topic -> Text,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        place -> Nullable<Text>,
        online_url -> Nullable<Text>,
        state -> Text,
        buyer_agreed_at -> Nullable<Timestamp>,
        seller_agreed_at -> Nullable<Timestamp>,
        sequence -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    introductions (id) {
        id -> Text,
        broker_id -> Text,
        agency_id -> Text,
        account_id -> Text,
        demand_id -> Nullable<Text>,
        achievement_id -> Nullable<Text>,
        listing_version -> BigInt,
        owner_organization_id -> Text,
        owner_consent -> Text,
        to_organization_id -> Text,
        match_request_id -> Nullable<Text>,
        deal_id -> Nullable<Text>,
        digest -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    introduction_consents (introduction_id) {
        introduction_id -> Text,
        account_id -> Text,
        organization_id -> Text,
        digest -> Text,
        created_at -> Timestamp,
    }
}
diesel::joinable!(deal_brokers -> deals (deal_id));
diesel::joinable!(deal_broker_shares -> deal_brokers (engagement_id));
diesel::joinable!(deal_intents -> deals (deal_id));
diesel::joinable!(deal_meetings -> deals (deal_id));
diesel::allow_tables_to_appear_in_same_query!(deals, deal_brokers, deal_broker_shares);
diesel::allow_tables_to_appear_in_same_query!(deals, deal_intents);
diesel::allow_tables_to_appear_in_same_query!(deals, deal_meetings);
diesel::allow_tables_to_appear_in_same_query!(introductions, introduction_consents);

// notices
diesel::table! {
    mails (id) {
        id -> Text,
        to_address -> Text,
        to_name -> Text,
        lang -> Text,
        template -> Text,
        params -> Text,
        message_id -> Text,
        event_position -> BigInt,
        state -> Text,
        attempts -> BigInt,
        refusals -> BigInt,
        next_try_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        account_id -> Nullable<Text>,
        about -> Nullable<Text>,
        scope -> Nullable<Text>,
    }
}
diesel::table! {
    subscriptions (id) {
        id -> Text,
        account_id -> Text,
        wish -> Text,
        listing_id -> Nullable<Text>,
        deal_id -> Nullable<Text>,
        frequency -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    notices (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        topic -> Text,
        subject -> Text,
        facts -> Text,
        subscription_id -> Nullable<Text>,
        event_position -> BigInt,
        in_app -> Bool,
        is_read -> Bool,
        digest -> Nullable<Text>,
        created_at -> Timestamp,
        read_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    notice_settings (account_id, kind) {
        account_id -> Text,
        kind -> Text,
        in_app -> Bool,
        mail -> Text,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    webhooks (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        url -> Text,
        events -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        secret -> Text,
        former_secret -> Nullable<Text>,
        former_until -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    webhook_deliveries (id) {
        id -> Text,
        webhook_id -> Text,
        message_id -> Text,
        replay -> BigInt,
        event_position -> Nullable<BigInt>,
        topic -> Text,
        payload -> Text,
        state -> Text,
        attempts -> BigInt,
        next_try_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        status -> Nullable<BigInt>,
        response -> Nullable<Text>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        delivered_at -> Nullable<Timestamp>,
    }
}

// contracts
diesel::table! {
    contracts (id) {
        id -> Text,
        state -> Text,
        version -> BigInt,
        filer_id -> Nullable<Text>,
        deal_id -> Nullable<Text>,
        title -> Text,
        category -> Text,
        subcategory -> Text,
        field -> Text,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        seller_organization_id -> Nullable<Text>,
        seller_uscc -> Nullable<Text>,
        seller_region -> Text,
        seller_type -> Text,
        buyer_organization_id -> Nullable<Text>,
        buyer_region -> Text,
        buyer_type -> Text,
        parties -> Text,
        terms -> Text,
        registrar_id -> Text,
        digest -> Text,
        submitted_at -> Nullable<Timestamp>,
        accepted_at -> Nullable<Timestamp>,
        examiner_id -> Nullable<Text>,
        registered_by -> Nullable<Text>,
        registration_no -> Nullable<Text>,
        registered_on -> Nullable<Date>,
        grounds -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    national_numbers (registrar_id, national_no) {
        registrar_id -> Text,
        national_no -> Text,
        year -> BigInt,
        registration_no -> Nullable<Text>,
        total_fen -> BigInt,
        told_on -> Date,
        told_by -> Text,
        updated_at -> Timestamp,
    }
}
diesel::allow_tables_to_appear_in_same_query!(contracts, national_numbers);
diesel::table! {
    registrar_numbers (registrar_id, area) { registrar_id -> Text, area -> Text, number -> BigInt, }
}
diesel::table! {
    registration_serials (registrar_id, year) { registrar_id -> Text, year -> BigInt, last -> BigInt, }
}
diesel::table! {
    contract_cases (contract_id) {
        contract_id -> Text,
        rule_set -> Nullable<Text>,
        rule_set_reason -> Nullable<Text>,
        clock_from -> Nullable<Date>,
        decide_by -> Nullable<Date>,
        disputed -> Bool,
        opinion_at -> Nullable<Timestamp>,
        objected_from -> Nullable<Text>,
        provisional -> Bool,
    }
}
diesel::table! {
    contract_identities (identity) {
        identity -> Text,
        contract_id -> Text,
    }
}
diesel::table! {
    contract_clerks (contract_id, account_id) {
        contract_id -> Text,
        account_id -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    contract_steps (contract_id, seq) {
        contract_id -> Text,
        seq -> BigInt,
        act -> Text,
        from_state -> Text,
        to_state -> Text,
        side -> Text,
        account_id -> Nullable<Text>,
        detail -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    contract_changes (contract_id) {
        contract_id -> Text,
        reason -> Text,
        content -> Text,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        amounts_final -> Bool,
        created_by -> Nullable<Text>,
        created_at -> Timestamp,
    }
}
diesel::table! {
    contract_versions (contract_id, number) {
        contract_id -> Text,
        number -> BigInt,
        kind -> Text,
        content -> Text,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        rule_set -> Nullable<Text>,
        examiner_id -> Nullable<Text>,
        approver_id -> Nullable<Text>,
        registered_on -> Date,
        verify_code -> Nullable<Text>,
        created_at -> Timestamp,
    }
}
diesel::table! {
    contract_papers (id) {
        id -> Text,
        contract_id -> Text,
        kind -> Text,
        name -> Text,
        media_type -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        storage_key -> Nullable<Text>,
        created_by -> Nullable<Text>,
        created_at -> Timestamp,
    }
}
diesel::table! {
    contract_receipts (id) {
        id -> Text,
        contract_id -> Text,
        received_on -> Date,
        amount_fen -> BigInt,
        note -> Nullable<Text>,
        created_by -> Nullable<Text>,
        created_at -> Timestamp,
    }
}
diesel::table! {
    turnover_postings (contract_id, seq) {
        contract_id -> Text,
        seq -> BigInt,
        kind -> Text,
        posted_on -> Date,
        registered_on -> Date,
        sign -> BigInt,
        category -> Text,
        subcategory -> Text,
        field -> Text,
        seller_region -> Text,
        buyer_region -> Text,
        seller_type -> Text,
        buyer_type -> Text,
        ip_kinds -> Text,
        plan_source -> Text,
        objective -> Text,
        industry -> Text,
        cross_border -> Text,
        total_fen -> BigInt,
        tech_fen -> BigInt,
    }
}
diesel::allow_tables_to_appear_in_same_query!(contracts, contract_cases);

// brokerage
diesel::table! {
    agency_recognitions (id) {
        id -> Text,
        organization_id -> Text,
        level -> Text,
        year -> BigInt,
        document_title -> Text,
        document_no -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        granted_by -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        removed_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    agency_facts (id) {
        id -> Text,
        organization_id -> Text,
        year -> BigInt,
        item -> Text,
        value -> BigInt,
        evidence -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        entered_by -> Text,
        decided_by -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    scorecard_rules (effective_year) {
        effective_year -> BigInt,
        rules -> Text,
        set_by -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    agency_verdicts (organization_id, year) {
        organization_id -> Text,
        year -> BigInt,
        place -> BigInt,
        score -> BigInt,
        passed -> Bool,
        card -> Text,
        closed_by -> Text,
        created_at -> Timestamp,
    }
}

// insight
diesel::table! {
    figure_cells (period, flow, place, dimension, layer, value) {
        layer -> Text,
        flow -> Text,
        place -> Text,
        dimension -> Text,
        period -> Text,
        value -> Text,
        contracts -> BigInt,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        largest_fen -> BigInt,
    }
}
diesel::table! {
    figure_days (day, flow, place, layer) {
        layer -> Text,
        flow -> Text,
        place -> Text,
        day -> Date,
        contracts -> BigInt,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        largest_fen -> BigInt,
    }
}
diesel::table! {
    figure_pairs (level, period, layer, seller, buyer) {
        layer -> Text,
        level -> Text,
        period -> Text,
        seller -> Text,
        buyer -> Text,
        contracts -> BigInt,
        total_fen -> BigInt,
        tech_fen -> BigInt,
        largest_fen -> BigInt,
    }
}
diesel::table! {
    figure_entries (contract_id) { contract_id -> Text, seq -> BigInt, }
}
diesel::allow_tables_to_appear_in_same_query!(figure_entries, turnover_postings);
diesel::allow_tables_to_appear_in_same_query!(match_requests, deals, achievements, demands);
diesel::table! {
    figure_years (year) { year -> BigInt, changes -> BigInt, }
}
diesel::table! {
    targets (id) {
        id -> Text,
        region_code -> Text,
        indicator -> Text,
        label -> Text,
        first_year -> BigInt,
        last_year -> BigInt,
        operator -> Text,
        value -> BigInt,
        upper -> Nullable<BigInt>,
        scale -> BigInt,
        kind -> Text,
        document_title -> Text,
        document_issued_on -> Nullable<Date>,
        supersedes -> Nullable<Text>,
        baseline -> Nullable<BigInt>,
        breakdown -> Text,
        note -> Nullable<Text>,
        created_by -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        kind_stated -> Bool,
    }
}
diesel::table! {
    indicator_values (id) {
        id -> Text,
        region_code -> Text,
        indicator -> Text,
        period -> Text,
        first_day -> Date,
        last_day -> Date,
        value -> BigInt,
        scale -> BigInt,
        source -> Text,
        source_date -> Date,
        created_by -> Text,
        created_at -> Timestamp,
    }
}

// exchange
diesel::table! {
    imports (id) {
        id -> Text,
        kind -> Text,
        state -> Text,
        organization_id -> Text,
        region_code -> Text,
        created_by -> Text,
        api_key_id -> Nullable<Text>,
        dry_run -> Bool,
        file_name -> Text,
        format -> Text,
        size -> BigInt,
        sha256 -> Text,
        storage_key -> Nullable<Text>,
        rows_total -> Nullable<BigInt>,
        rows_done -> BigInt,
        errors -> BigInt,
        warnings -> BigInt,
        reason -> Nullable<Text>,
        attempts -> BigInt,
        lease_until -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    import_faults (import_id, seq) {
        import_id -> Text,
        seq -> BigInt,
        line -> BigInt,
        severity -> Text,
        cell -> Text,
        head -> Text,
        code -> Text,
        detail -> Text,
    }
}
diesel::table! {
    import_rows (import_id, line) { import_id -> Text, line -> BigInt, made_id -> Text, }
}
diesel::allow_tables_to_appear_in_same_query!(deals, turnover_postings);
diesel::allow_tables_to_appear_in_same_query!(agency_recognitions, organizations);
